"""What does TDMRep say: are the rights of text and data mining reserved?

One bit a path, ``1`` reserved or ``0`` not, and the address of a policy.  It stands in ``/.well-known/tdmrep.json``
(the first rule that matches counts), in the header of a response, and in the head of a page of HTML, each of which
goes before the one named earlier.  It is the form in which article 4(3) of the directive is said in so many words; it
knows neither training nor search, and a policy may say more.

Source
------
W3C Community Group Final Report, TDM Reservation Protocol (10 May 2024), sections "Declaring the reservation of TDM
Rights", "TDM File on the Origin Server", "Expressing a TDM Policy"; Directive (EU) 2019/790, article 4(3).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from riparian.catalogue.channels.says import ANYBODY, MINES, Fault, Rules, Statement, limited
from riparian.catalogue.consent import Stance

PATH: Final = "/.well-known/tdmrep.json"
NAME: Final = "tdmrep.json"
RESERVATION: Final = "tdm-reservation"
POLICY: Final = "tdm-policy"
OCTETS_MAX: Final = 4 << 20
_CONTEXT: Final = ["http://www.w3.org/ns/odrl.jsonld", "http://www.w3.org/ns/tdmrep.jsonld"]
_PROFILE: Final = "http://www.w3.org/ns/tdmrep"


def statement(value: str, policy: str, channel: str, where: str) -> Statement | None:
    """Read one reservation; None for a value that says nothing.

    Examples
    --------
    >>> said = statement("1", "https://provider.com/policies/policy.json", "header", "/a")
    >>> str(said.stance), said.text
    ('constrained', 'tdm-reservation: 1, tdm-policy: https://provider.com/policies/policy.json')
    >>> statement("yes", "", "header", "/a") is None
    True
    """
    if value.strip() not in {"0", "1"}:
        return None
    is_reserved = value.strip() == "1"
    text = f"{RESERVATION}: {value.strip()}"
    if not is_reserved:
        return Statement(channel, where, text, MINES, Stance.PERMITTED)
    policy = policy.strip()
    stance = Stance.CONSTRAINED if policy else Stance.RESERVED
    return Statement(channel, where, f"{text}, {POLICY}: {policy}" if policy else text, MINES, stance)


class TdmFile:
    """A ``tdmrep.json``, as ``Channel``.

    Examples
    --------
    >>> rules = b'[{"location": "/i/*.jpg", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]'
    >>> file = TdmFile(rules)
    >>> [[said.text for said in file.at(path)] for path in ("/i/a.jpg", "/a.html")]
    [['tdm-reservation: 0'], ['tdm-reservation: 1']]
    >>> TdmFile(b'{"location": "/", "tdm-reservation": 1}').faults[0].why
    'is a JSON object, wanted an array of rules, also where there is only one'
    """

    agents: tuple[str, ...] = ()

    def __init__(self, data: bytes, where: str = NAME) -> None:
        self.faults: list[Fault] = []
        self._where = where
        text = limited(data, OCTETS_MAX, where, self.faults)
        try:
            said = json.loads(text)
        except (ValueError, RecursionError) as error:
            self.faults.append(Fault(where, f"is no JSON ({str(error)[:80]}): it says nothing"))
            said = []
        if not isinstance(said, list):
            self.faults.append(
                Fault(where, f"is a JSON {_kind(said)}, wanted an array of rules, also where there is only one")
            )
            said = []
        found = (self._rule(rule, number) for number, rule in enumerate(said, 1))
        self._rules = Rules([rule for rule in found if rule is not None])

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return self._rules.patterns

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        return self._rules.first(path)

    def _rule(self, rule: object, number: int) -> tuple[str, Statement] | None:
        where = f"{self._where} rule {number}"
        if not isinstance(rule, dict):
            self.faults.append(Fault(where, f"is a JSON {_kind(rule)}, wanted an object"))
            return None
        location, value, policy = rule.get("location"), rule.get(RESERVATION), rule.get(POLICY, "")
        if not isinstance(location, str) or not location.startswith("/"):
            self.faults.append(Fault(where, "has no `location`, wanted a path that begins with `/`"))
            return None
        # JSON's true is no 1, and neither is "1": other values are errors of the protocol, and say nothing.
        if type(value) is not int or value not in {0, 1}:
            self.faults.append(Fault(where, f"has `{RESERVATION}` {json.dumps(value)[:40]}, wanted 1 or 0"))
            return None
        said = statement(str(value), policy if isinstance(policy, str) else "", NAME, where)
        return (location, said) if said is not None else None


def written(rules: Sequence[tuple[str, Stance, str]]) -> str:
    """Write ``tdmrep.json``: locations, the most particular first, what holds there, and the address of a policy.

    Examples
    --------
    >>> print(written([("/", Stance.RESERVED, "")]))
    [
      {
        "location": "/",
        "tdm-reservation": 1
      }
    ]
    """
    said = [
        {
            "location": location,
            RESERVATION: int(stance is not Stance.PERMITTED),
            **({POLICY: policy} if policy and stance is not Stance.PERMITTED else {}),
        }
        for location, stance, policy in rules
    ]
    return json.dumps(said, indent=2)


def policy_of(address: str, holder: str, contact: str) -> dict[str, Any]:
    """Write the policy to which a reservation points: who wants to mine asks the holder first.

    Parameters
    ----------
    address
        Of the policy itself, which is its name, too.
    contact
        An address of mail or of a page.

    Examples
    --------
    >>> policy_of("https://x.example/tdm-policy.json", "Reed Records", "rights@x.example")["permission"]
    [{'action': 'tdm:mine', 'duty': [{'action': 'obtainConsent'}]}]
    """
    reach = {"vcard:hasURL": contact} if "://" in contact else {"vcard:hasEmail": f"mailto:{contact}"}
    site = "/".join(address.split("/")[:3])
    return {
        "@context": _CONTEXT,
        "@type": "Offer",
        "profile": _PROFILE,
        "uid": address,
        "assigner": {"uid": site, "vcard:fn": holder, **(reach if contact else {})},
        "permission": [{"action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}],
    }


def policy_faults(policy: object, where: str) -> list[Fault]:
    """Check a policy against what the report demands of one.

    Examples
    --------
    >>> policy_faults(policy_of("https://x.example/p.json", "Reed", "rights@x.example"), "p.json")
    []
    >>> [fault.why for fault in policy_faults({"@type": "Set"}, "p.json")][:2]
    ['has `@context` null, wanted those of ODRL and of TDMRep', 'has `@type` "Set", wanted "Offer"']
    """
    if not isinstance(policy, Mapping):
        return [Fault(where, f"is a JSON {_kind(policy)}, wanted an object")]
    wanted: list[tuple[str, bool, str]] = [
        ("@context", policy.get("@context") == _CONTEXT, "those of ODRL and of TDMRep"),
        ("@type", policy.get("@type") == "Offer", '"Offer"'),
        ("profile", policy.get("profile") == _PROFILE, f'"{_PROFILE}"'),
        ("uid", isinstance(policy.get("uid"), str), "the name of the policy"),
        ("assigner", isinstance(policy.get("assigner"), Mapping), "who offers it"),
        ("permission", _is_permission(policy.get("permission")), "an array whose actions are `tdm:mine`"),
    ]
    return [
        Fault(where, f"has `{name}` {json.dumps(policy.get(name))[:40]}, wanted {what}")
        for name, is_right, what in wanted
        if not is_right
    ]


def _is_permission(said: object) -> bool:
    return (
        isinstance(said, list)
        and bool(said)
        and all(isinstance(one, Mapping) and one.get("action") == "tdm:mine" for one in said)
    )


def _kind(value: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")
