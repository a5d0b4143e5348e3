"""Reading C++ source as text: comments and literals blanked, includes listed."""

import re

_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*.*?\*/)
      | (?P<raw>\bu?8?R"(?P<mark>[^()\\ ]{0,16})\(.*?\)(?P=mark)")
      | (?P<include>^[ \t]*\#[ \t]*include[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<number>\b\d[\w']*)
      | (?P<char>'(?:[^'\\\n]|\\.)+')""",
    re.DOTALL | re.MULTILINE | re.VERBOSE)

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"(?P<quoted>[^"]+)"|<(?P<angled>[^>]+)>)', re.MULTILINE)


def _blank(match):
    if match.lastgroup in ("number", "include"):
        return match[0]
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text):
    """`text` with comments, string and character literals replaced by blanks; line numbers stay."""
    return _TOKEN.sub(_blank, text)


def includes_of(text):
    """Yields (line number, path, quoted?) for each include that is not commented out."""
    code = code_of(text)
    for match in _INCLUDE.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        yield line, match["quoted"] or match["angled"], match["quoted"] is not None


def line_of(text, position):
    return text.count("\n", 0, position) + 1
