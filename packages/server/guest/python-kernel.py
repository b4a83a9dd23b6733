"""Stateful Python kernel: runs code sent on fd 0 and reports on fd 3.

Request:  b'<run> <token> <length>\n' or b'<run> <token> <length> rich\n' followed by <length> bytes of
          UTF-8 source.
Reply:    one line of JSON, {"run": n, "status": "completed"} or
          {"run": n, "status": "raised", "name": "...", "message": "..."}.
To a rich request, each value that is shown comes before the reply as a line of its own,
          {"run": n, "result": {"role": "value" or "display", "data": {media type: text}}},
          and a reply "raised" has "traceback": [{"file", "line", "function", "source"}], outermost first.
A run's output lies between two copies of the byte 0xff and the token on fd 1 and on fd 2.

Every import here is paid at each start of a sandbox and by each idle kernel, so whatever only some
runs need (traceback, asyncio, json, the forms of values) is loaded when they need it.
"""

import builtins
import os
import sys
from _contextvars import Context, ContextVar
from _signal import SIG_DFL, SIGINT, SIGQUIT, signal
from _thread import RLock, get_ident, start_new_thread
from io import FileIO, TextIOWrapper

ONLY_AST = 0x400
ALLOW_TOP_LEVEL_AWAIT = 0x2000
IS_COROUTINE = 0x80
MAX_TEXT = 10_000
MAX_SOURCES = 1_000

# A session of its own, so that all it starts can be ended with it. It may lead one already.
try:
    os.setsid()
except PermissionError:
    pass

# Descriptors from os.dup are closed on exec, so subprocesses inherit neither requests nor replies.
requests = open(os.dup(0), 'rb')
control = os.dup(3)
outputs = (os.dup(1), os.dup(2))
os.close(3)
null = os.open('/dev/null', os.O_RDONLY)
os.dup2(null, 0)
os.close(null)

run_number = 0
running = False
forked = False
future_flags = 0
loop = None
sources = {}
# The current run was asked for by somebody who takes values in richer forms than text.
rich = False
display_module = None
main_thread = get_ident()
control_lock = RLock()
# The main thread is in the middle of a line for the server: an interrupt waits for its end.
sending = False
interrupted = False
# The run on whose behalf the current thread or task works; 0 when that is not known.
owner = ContextVar('sandgate_run', default=0)


def write_all(descriptor, data):
    data = memoryview(data)
    while data:
        try:
            data = data[os.write(descriptor, data):]
        except BlockingIOError:
            from select import select
            select([], [descriptor], [])


class RunOutput(FileIO):
    """Standard output that drops what a thread or task of an earlier run still writes."""

    def write(self, data, raw_write=FileIO.write):
        if owner.get() not in (0, run_number):
            return len(data)
        size = len(data)
        written = raw_write(self, data)
        if written != size:
            write_all(self.fileno(), bytes(data)[written or 0:])
        return size


def open_output(descriptor, name, errors):
    raw = RunOutput(descriptor, 'wb', closefd=False)
    raw.name = name
    return TextIOWrapper(raw, 'utf-8', errors, newline='\n', write_through=True)


sys.stdout = sys.__stdout__ = open_output(1, '<stdout>', 'surrogateescape')
sys.stderr = sys.__stderr__ = open_output(2, '<stderr>', 'backslashreplace')


def owned(function):
    """The function, bound to the run that is current where it is handed over."""
    context = Context()
    context.run(owner.set, owner.get())

    def call(*args, **kwargs):
        return context.run(function, *args, **kwargs)

    return call


def start_owned_thread(function, *args, start=start_new_thread, **kwargs):
    return start(owned(function), *args, **kwargs)


def own_threads():
    import _thread

    _thread.start_new_thread = _thread.start_new = start_owned_thread
    if hasattr(_thread, 'start_joinable_thread'):
        start = _thread.start_joinable_thread
        _thread.start_joinable_thread = lambda function, *args, **kwargs: start(
            owned(function), *args, **kwargs
        )


def own_pool_work():
    """Work handed to a pool belongs to the run that hands it over, not to the one that made the pool."""
    pools = sys.modules.get('concurrent.futures.thread')
    submit = pools and getattr(pools.ThreadPoolExecutor, 'submit', None)
    if submit and submit.__module__ != __name__:

        def submit_owned(self, fn, /, *args, **kwargs):
            return submit(self, owned(fn), *args, **kwargs)

        submit_owned.__module__ = __name__
        pools.ThreadPoolExecutor.submit = submit_owned


def on_interrupt(_number, _frame):
    global interrupted
    if sending:
        interrupted = True
    elif running:
        raise KeyboardInterrupt


def after_fork():
    global forked
    forked = True
    os.close(control)
    os.close(requests.fileno())


def load_display():
    global display_module
    if display_module is None:
        name = 'sandgate_display'
        base = __file__.rpartition('/')[0] + '/python-display.py'
        if __file__.endswith('.pyc'):
            from marshal import loads

            with open(base + 'c', 'rb') as file:
                # The header takes 16 bytes (PEP 552).
                code = loads(file.read()[16:])
        else:
            with open(base, encoding='utf-8') as file:
                code = compile(file.read(), name, 'exec', dont_inherit=True)
        module = type(sys)(name)
        exec(code, module.__dict__)
        os.environ.setdefault('MPLBACKEND', 'Agg')
        sys.meta_path.insert(0, module.PyplotFinder(show_figures))
        display_module = module
    return display_module


def send_result(number, line):
    """Sends a line, unless its run is over."""
    global sending, interrupted
    with control_lock:
        if not rich or number != run_number or sending:
            return
        sending = get_ident() == main_thread
        try:
            write_all(control, line)
        finally:
            sending = False
    if interrupted and get_ident() == main_thread:
        interrupted = False
        raise KeyboardInterrupt


def show_value(role, value):
    number = run_number
    if forked or not rich:
        print(repr(value))
    elif owner.get() in (0, number):
        module = load_display()
        send_result(number, module.result_line(number, role, module.forms_of(value)))


def display(*values):
    """Shows values in the richest form that whoever runs the code can take."""
    for value in values:
        show_value('display', value)


def show_figures():
    if not rich or forked:
        return False
    for figure in load_display().open_figures():
        show_value('display', figure)
    return True


def show_last(value):
    """As sys.displayhook does, for a rich run."""
    if value is not None:
        builtins._ = None
        show_value('value', value)
        builtins._ = value


def remember_sources():
    linecache = sys.modules.get('linecache')
    if linecache:
        for name, source in sources.items():
            if name not in linecache.cache:
                linecache.cache[name] = (len(source), None, source.splitlines(True), name)


def compile_run(source, name):
    """Code objects of a run: all but a last expression, then that expression, which is echoed."""
    flags = future_flags | ALLOW_TOP_LEVEL_AWAIT
    tree = compile(source, name, 'exec', flags | ONLY_AST, True)
    body = tree.body
    if not body:
        return ()
    if type(body[-1]).__name__ != 'Expr':
        return (compile(tree, name, 'exec', flags, True),)
    import _ast

    last = compile(_ast.Interactive(body=[body.pop()]), name, 'single', flags, True)
    return (compile(tree, name, 'exec', flags, True), last) if body else (last,)


def await_run(coroutine):
    global loop
    import asyncio

    if loop is None or loop.is_closed():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    task = loop.create_task(coroutine)
    try:
        loop.run_until_complete(task)
    except (KeyboardInterrupt, SystemExit):
        if not task.done():
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        raise


def execute(source, name, namespace):
    global future_flags
    for code in compile_run(source, name):
        result = eval(code, namespace)
        if code.co_flags & IS_COROUTINE:
            await_run(result)
        if '__future__' in sys.modules:
            import __future__

            for feature in __future__.all_feature_names:
                future_flags |= code.co_flags & getattr(__future__, feature).compiler_flag


own_files = (display.__code__.co_filename, 'sandgate_display')


def user_frames(trace):
    """The traceback from the first frame of user code on, or None when there is none."""
    while trace and trace.tb_frame.f_code.co_filename not in sources:
        trace = trace.tb_next
    last = trace
    while last:
        while last.tb_next and last.tb_next.tb_frame.f_code.co_filename in own_files:
            last.tb_next = last.tb_next.tb_next
        last = last.tb_next
    return trace


def report(error):
    import traceback  # Brings linecache, which remember_sources then fills.

    trace = user_frames(error.__traceback__)
    error = error.with_traceback(trace)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    remember_sources()
    hook = sys.excepthook
    if hook is sys.__excepthook__:
        traceback.print_exception(type(error), error, trace)
    else:
        hook(type(error), error, trace)


def text_of(error):
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return ''


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass


def leave(error):
    """Ends the interpreter as SystemExit asks, without waiting for threads of earlier runs."""
    code = error.code
    if code is None:
        code = 0
    elif not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    if not forked:
        import atexit

        atexit._run_exitfuncs()
    flush()
    os._exit(code & 0xFF)


def reply_raised(error, traceback):
    from _json import encode_basestring_ascii as quote

    name, message = type(error).__name__[:MAX_TEXT], text_of(error)
    return '{"run":%d,"status":"raised","name":%s,"message":%s%s}\n' % (
        run_number, quote(name), quote(message), traceback
    )


def traceback_field(error):
    try:
        return ',"traceback":' + load_display().traceback_text(error)
    except BaseException:
        return ''


def run_with_values(source, name, namespace):
    """As execute, with values sent to the server, and figures that are left open."""
    global running
    hook = sys.displayhook
    if hook is sys.__displayhook__:
        sys.displayhook = show_last
    load_display()
    try:
        execute(source, name, namespace)
        show_figures()
    except Exception:
        show_figures()
        raise
    finally:
        if sys.displayhook is show_last:
            sys.displayhook = hook


def open_descriptors():
    """Gives a run its standard descriptors back when an earlier one closed them."""
    for descriptor, saved in ((1, outputs[0]), (2, outputs[1])):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(saved, descriptor)


def run(source, marker, namespace, wants_values):
    global running, rich, interrupted
    name = '<run %d>' % run_number
    sources[name] = source
    if len(sources) > MAX_SOURCES:
        del sources[next(iter(sources))]
    remember_sources()
    own_pool_work()
    open_descriptors()
    for descriptor in outputs:
        write_all(descriptor, marker)
    owner.set(run_number)
    failure = None
    rich = wants_values
    interrupted = False
    try:
        running = True
        (run_with_values if rich else execute)(source, name, namespace)
        running = False
    except BaseException as error:
        running = False
        failure = error
    if isinstance(failure, SystemExit):
        leave(failure)
    if failure is not None:
        try:
            report(failure)
        except BaseException:
            pass
    flush()
    if forked:
        os._exit(0 if failure is None else 1)
    for descriptor in outputs:
        write_all(descriptor, marker)
    traceback = traceback_field(failure) if rich and failure is not None else ''
    with control_lock:
        rich = False
    if failure is None:
        reply = '{"run":%d,"status":"completed"}\n' % run_number
    else:
        reply = reply_raised(failure, traceback)
    write_all(control, reply.encode())


def main():
    global run_number
    # User code is __main__, so that what it defines can be pickled and found there.
    module = type(sys)('__main__')
    module.__builtins__ = builtins
    sys.modules['__main__'] = module
    sys.argv = ['']
    sys.path[0] = ''
    signal(SIGINT, on_interrupt)
    # The shell that started this ignores it for what runs in its background.
    signal(SIGQUIT, SIG_DFL)
    os.register_at_fork(after_in_child=after_fork)
    own_threads()
    builtins.display = display
    while True:
        header = requests.readline()
        if not header:
            leave(SystemExit(0))
        number, token, length, *options = header.split()
        source = requests.read(int(length)).decode()
        run_number = int(number)
        run(source, b'\xff' + token, module.__dict__, b'rich' in options)


kernel_module = sys.modules['__main__']
__name__ = 'sandgate_kernel'
main()
