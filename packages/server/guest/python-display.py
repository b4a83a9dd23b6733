"""What a value looks like: as text, and as whatever richer form it offers.

Loaded by the Python kernel when a run first shows a value to somebody who can take more than text.
Libraries are never imported here: what a value is of has been imported by the code that made it.
"""

import binascii
import json
import sys

MAX_RESULT = 8 * 1024 * 1024
MAX_RECORDS = 1_000

# Methods by which objects of many libraries offer their forms, as notebooks ask for them.
METHODS = (
    ('_repr_html_', 'text/html'),
    ('_repr_markdown_', 'text/markdown'),
    ('_repr_svg_', 'image/svg+xml'),
    ('_repr_png_', 'image/png'),
    ('_repr_jpeg_', 'image/jpeg'),
    ('_repr_latex_', 'text/latex'),
    ('_repr_json_', 'application/json'),
)


def text_form(media_type, value):
    """A form as the text that is sent, or None: binary in base64, JSON as its text."""
    if media_type == 'application/json' and value is not None and not isinstance(value, str):
        return json_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return binascii.b2a_base64(value, newline=False).decode()
    return value if isinstance(value, str) else None


def json_text(value):
    """The text of what JSON can hold without changing it; None for anything else."""
    try:
        text = json.dumps(value, allow_nan=False)
        return text if json.loads(text) == value else None
    except Exception:
        return None


def library_of(value):
    return (getattr(type(value), '__module__', None) or '').partition('.')[0]


def table_records(value):
    """The first rows of a data frame."""
    if library_of(value) == 'pandas':
        return value.head(MAX_RECORDS).to_json(orient='records', date_format='iso')
    return json.dumps(value.head(MAX_RECORDS).to_dicts(), default=str)


def figure_image(figure):
    from io import BytesIO

    file = BytesIO()
    figure.savefig(file, format='png', bbox_inches='tight')
    return file.getvalue()


def offered_forms(value):
    """Pairs of a media type and a form that the value, or what is known of its library, offers."""
    if isinstance(value, type):
        return
    for name, media_type in METHODS:
        method = getattr(value, name, None)
        if callable(method):
            yield media_type, method
    library = library_of(value)
    if library == 'matplotlib' and hasattr(value, 'savefig'):
        yield 'image/png', lambda: figure_image(value)
    if library in ('pandas', 'polars') and type(value).__name__ == 'DataFrame':
        yield 'application/json', lambda: table_records(value)
    if isinstance(value, (dict, list)):
        yield 'application/json', lambda: json_text(value)


def bundle_of(value):
    bundle = getattr(value, '_repr_mimebundle_', None)
    if isinstance(value, type) or not callable(bundle):
        return {}
    forms = bundle(include=None, exclude=None)
    # Some give metadata beside it.
    forms = forms[0] if isinstance(forms, tuple) else forms
    return {str(media_type): form for media_type, form in forms.items()}


def forms_of(value):
    """Every form that works, by its media type. What fails to give its plain text fails as a whole."""
    forms = {'text/plain': repr(value)}
    try:
        for media_type, form in bundle_of(value).items():
            text = text_form(media_type, form)
            if text is not None:
                forms[media_type] = text
    except Exception:
        pass
    for media_type, form in offered_forms(value):
        try:
            made = form()
            # Some give metadata beside it.
            text = text_form(media_type, made[0] if isinstance(made, tuple) else made)
        except Exception:
            continue
        if text is not None:
            forms.setdefault(media_type, text)
    return forms


def result_line(run_number, role, forms):
    """One line for the control stream, of bounded length."""

    def line(data):
        return json.dumps({'run': run_number, 'result': {'role': role, 'data': data}}).encode() + b'\n'

    whole = line(forms)
    if len(whole) <= MAX_RESULT:
        return whole
    note = 'The value is larger than %d MiB and is not shown.' % (MAX_RESULT >> 20)
    return line({'text/plain': note})


def open_figures():
    """Takes the figures that pyplot has open."""
    pyplot = sys.modules.get('matplotlib.pyplot')
    numbers = pyplot.get_fignums() if pyplot else ()
    for number in numbers:
        figure = pyplot.figure(number)
        pyplot.close(figure)
        yield figure


class PyplotFinder:
    """Lets `plt.show()` show figures to whoever runs the code, from the import of pyplot on."""

    def __init__(self, show_figures):
        self.show_figures = show_figures
        self.adopt(sys.modules.get('matplotlib.pyplot'))

    def find_spec(self, name, path, target=None):
        if name != 'matplotlib.pyplot':
            return None
        for finder in sys.meta_path:
            spec = finder is not self and finder.find_spec(name, path, target)
            if spec:
                return self.wrap(spec)
        return None

    def wrap(self, spec):
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.adopt(module)

        spec.loader.exec_module = exec_module
        return spec

    def adopt(self, pyplot):
        if pyplot is None:
            return
        original = pyplot.show

        def show(*args, **kwargs):
            if not self.show_figures():
                return original(*args, **kwargs)

        pyplot.show = show


MAX_FRAMES = 100
MAX_TEXT = 1_000


def traceback_text(error):
    """The frames of an error that was reported, so that its traceback is of user code alone."""
    from linecache import getline

    def frame(file, line, function, source):
        return {
            'file': file[:MAX_TEXT],
            'line': line or 0,
            'function': function[:MAX_TEXT],
            'source': source[:MAX_TEXT] if source else None,
        }

    frames = []
    trace = error.__traceback__
    while trace:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        source = getline(code.co_filename, line or 0, trace.tb_frame.f_globals).strip()
        frames.append(frame(code.co_filename, line, code.co_name, source))
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        source = (error.text or '').strip()
        frames.append(frame(str(error.filename), error.lineno, '<module>', source))
    # A recursion that went too deep is told by its beginning and its end.
    half = MAX_FRAMES // 2
    return json.dumps(frames if len(frames) <= MAX_FRAMES else frames[:half] + frames[-half:])
