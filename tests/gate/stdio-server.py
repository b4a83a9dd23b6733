"""An MCP server over stdio whose tools do what a gate has to stand."""
import json, os, sys, time


def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def listen():
    line = sys.stdin.readline()
    if line == "":
        sys.exit(0)
    return json.loads(line)


def text(value):
    return {"content": [{"type": "text", "text": value}], "resultType": "complete"}


def call(id, name, arguments, meta):
    if name == "echo":
        return text(arguments["text"])
    if name == "secret":
        sys.stderr.write("used " + os.environ["TOKEN"] + "\n")
        sys.stderr.flush()
        return text(str(len(os.environ["TOKEN"])))
    if name == "process":
        return text(str(os.getpid()))
    if name == "count":
        for step in (1, 2, 3):
            say({"method": "notifications/progress",
                 "params": {"progressToken": meta["progressToken"], "progress": step}})
        return text("counted")
    if name == "ask":
        say({"id": "asked", "method": "ping"})
        answer = listen()
        return text("answered" if answer.get("id") == "asked" else json.dumps(answer))
    if name == "wait":
        sys.stderr.write("waiting\n")
        sys.stderr.flush()
        cancelled = listen()
        sys.stderr.write("heard " + json.dumps(cancelled) + "\n")
        sys.stderr.flush()
        return text("late")
    if name == "die":
        sys.exit(3)
    if name == "babble":
        for _ in range(200):
            sys.stdout.write("this is no message\n")
        sys.stdout.flush()
        time.sleep(600)
    if name == "flood":
        while True:
            sys.stdout.write("x" * 65536)
    if name == "nest":
        deep = "[" * 100000 + "]" * 100000
        sys.stdout.write('{"jsonrpc": "2.0", "id": ' + deep + ', "result": {}}\n')
        return text("nested")
    if name == "return":
        sys.stdout.write('{"jsonrpc": "2.0",\r\r"method": "notifications/message",\r'
                         '"params": {"level": "info", "data": "x"}}\r\n')
        return text("returned")
    if name == "shout":
        say({"id": id, "result": text("begun")})
        while True:
            say({"method": "notifications/message", "params": {"level": "info", "data": "x"}})
    return {"content": [], "isError": True}


TOOLS = ["echo", "secret", "process", "count", "ask", "wait", "die", "babble", "flood", "nest", "return", "shout"]
INFO = {"serverInfo": {"name": "stdio", "version": "1"}, "capabilities": {"tools": {}}}
sys.stdout.write("Welcome\n")
while True:
    message = listen()
    id, method, params = message.get("id"), message.get("method"), message.get("params", {})
    if method is None or id is None:
        continue
    if method == "initialize":
        result = {"protocolVersion": params["protocolVersion"], **INFO}
    elif method == "server/discover":
        result = {"supportedVersions": ["2026-07-28"], "resultType": "complete",
                  "ttlMs": 0, "cacheScope": "private", **INFO}
    elif method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
        result = {"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    elif method == "tools/call":
        result = call(id, params["name"], params.get("arguments", {}), params.get("_meta", {}))
    else:
        say({"id": id, "error": {"code": -32601, "message": "Method not found"}})
        continue
    say({"id": id, "result": result})
