"""The command about pairs: what it takes and prints."""

from mdeas.commands.parser import print_facts
from mdeas.errors import InputError


def check(background: str, image: str, *, json: bool = False) -> None:
    """Tell whether two photos are a pair: shift, light, what changed, and a verdict: good, fixed or refused.

    background: photo of the view with nothing in it
    image: photo of the same view with something in it
    json: print one JSON object
    """
    from mdeas.pairing.check import check_files
    from mdeas.pairing.sanity import tell
    from mdeas.system.files import json_lines, quoted

    found = check_files(background, image)
    facts = found.to_json()
    if json:
        print(json_lines([facts]).decode(), end="")
    else:
        print_facts({name: value for name, value in facts.items() if name != "warnings"})
        tell(image, found.warnings)
    if found.code:
        raise InputError(found.code, f"{quoted(background)} and {quoted(image)}: {found.reason}.")
