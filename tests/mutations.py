"""Random damage to files, for tests of whatever reads them."""

import io
import json
import zipfile

from hypothesis import strategies as st

ODD_VALUES = (None, True, -1, 0, 2**63, 1e308, "", "nan", "../x", "\x00", "a" * 5000, [], {}, [[]],
              ["x"], {"x": 1})  # fmt: skip


def mutate_bytes(data, draw):
    """Flip, cut, repeat, insert or remove bytes."""
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["flip", "set", "cut", "insert", "remove", "repeat"])):
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "set" if content:
                content[place] = draw(st.sampled_from([0, 1, 127, 128, 255]))
            case "cut":
                del content[place:]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=9))
            case "remove":
                del content[place : place + draw(st.integers(1, 9))]
            case "repeat":
                content[place:place] = content[place : place + draw(st.integers(1, 200))]
    return bytes(content)


def _places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(child, (*path, key))


def mutate_json(obj, draw):
    """Change, remove, add or rename something anywhere in a JSON value; the original stays."""
    obj = json.loads(json.dumps(obj))
    for _ in range(draw(st.integers(1, 2))):
        paths = [path for path in _places(obj) if path]
        if not paths:
            return draw(st.sampled_from(ODD_VALUES))
        *above, last = draw(st.sampled_from(paths))
        holder = obj
        for key in above:
            holder = holder[key]
        match draw(st.sampled_from(["set", "remove", "add", "rename", "twice"])):
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(max_size=5))] = draw(st.sampled_from(ODD_VALUES))
            case "rename" if isinstance(holder, dict):
                holder[f"{last}_"] = holder.pop(last)
            case "twice" if isinstance(holder, list):
                holder.append(holder[last])
            case _:
                holder[last] = draw(st.sampled_from(ODD_VALUES))
    return obj


def zip_of(files, *, compression=zipfile.ZIP_DEFLATED):
    """Pack ``{member: bytes}``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def mutate_zip(files, draw):
    """Pack files with one member renamed, damaged, doubled, nested or added, or damage the "
    "whole."""
    files = dict(files)
    name = draw(st.sampled_from(sorted(files)))
    match draw(st.sampled_from(["rename", "damage", "nest", "add", "whole", "drop"])):
        case "rename":
            odd = ("../x", "/x", "a\\b", "C:x", "card.json/", "x/y/z", "CARD.JSON", "é", "a" * 400)
            files[draw(st.sampled_from(odd))] = files.pop(name)
        case "damage":
            files[name] = mutate_bytes(files[name], draw)
        case "nest":
            files["more.zip"] = zip_of(files)
        case "add":
            # Python cuts a name at its first zero byte, and cannot write what is left of "\0", or
            # half a pair of surrogates.
            letters = st.characters(codec="utf-8", exclude_characters="\0")
            files[draw(st.text(letters, min_size=1, max_size=8))] = draw(st.binary(max_size=20))
        case "drop":
            del files[name]
        case "whole":
            return mutate_bytes(zip_of(files), draw)
    return zip_of(files)
