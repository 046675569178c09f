"""Things that happen to companies, by name: what changes in the document when one of them does."""

from collections.abc import Callable
from random import Random
from typing import Any

from direct_plus.sandbox.state.companies import Document
from direct_plus.sandbox.state.document_changes import ABSENT, look

ORG = "organization."
ASSESSMENT = ORG + "dnbAssessment."
LEGAL = ORG + "legalEvents."
# The lowest percentile of each class score, from the best: 1 to 5.
CLASS_STARTS = (91, 71, 31, 11, 1)
Changes = dict[str, Any]
Happening = Callable[[Document, Random, str], Changes]

FORMS = ("Ltd", "Corporation", "GmbH", "SAS", "AB")
ADDED_WORDS = ("Global", "International", "Group", "Solutions", "Partners")
RATINGS = ("5A1", "5A2", "4A2", "3A2", "3A3", "2A3", "1A3", "1A4", "BB4", "CC4")


def _legal(event: str) -> Happening:
    """An open legal event, and that there was one at all."""

    return lambda _document, _random, _day: {f"{LEGAL}hasOpen{event}": True, f"{LEGAL}has{event}": True}


def _flag(path: str) -> Happening:
    return lambda _document, _random, _day: {ORG + path: True}


def status(_document: Document, code: int) -> Changes:
    words = {9074: "Active", 403: "Out of business"}
    return {ORG + "dunsControlStatus.operatingStatus": {"description": words[code], "dnbCode": code}}


def class_of(percentile: int) -> int:
    """A class score goes the other way than its percentile: there, higher is worse."""
    return 1 + next(place for place, start in enumerate(CLASS_STARTS) if percentile >= start)


def _score(path: str, low: int, high: int) -> Happening:
    """A percentile moves, and its class score with it."""

    def happen(document: Document, random: Random, day: str) -> Changes:
        before = look(document, f"{ASSESSMENT}{path}.nationalPercentile")
        percentile = max(1, min(100, (50 if before is ABSENT else before) + random.randint(low, high)))
        changes = {"nationalPercentile": percentile, "classScore": class_of(percentile), "scoreDate": day}
        return {f"{ASSESSMENT}{path}.{name}": value for name, value in changes.items()}

    return happen


def _rating(document: Document, random: Random, day: str) -> Changes:
    before = look(document, ASSESSMENT + "standardRating.rating")
    place = RATINGS.index(before) if before in RATINGS else 3
    after = RATINGS[min(place + random.randint(1, 2), len(RATINGS) - 1)]
    return {ASSESSMENT + "standardRating.rating": after, ASSESSMENT + "standardRating.scoreDate": day}


def _name(document: Document, random: Random, _day: str) -> Changes:
    """One word more before the legal form, or another one there."""
    words = str(document.get("primaryName", "")).split()
    added = random.choice([word for word in ADDED_WORDS if word not in words])
    kept = [word for word in words if word not in ADDED_WORDS]
    place = next((n for n, word in enumerate(kept) if n and (word in FORMS or word.endswith("."))), len(kept))
    name = " ".join([*kept[:place], added, *kept[place:]])
    return {ORG + "primaryName": name, ORG + "registeredName": name}


def _address(_document: Document, random: Random, _day: str) -> Changes:
    line = f"{random.randint(1, 240)} {random.choice(('Station Road', 'Market Square', 'Harbour Street', 'Park Lane'))}"
    return {ORG + "primaryAddress.streetAddress": {"line1": line}}


def _telephone(document: Document, random: Random, _day: str) -> Changes:
    """Arrays come whole, before and after."""
    phones = document.get("telephone") or [{"isdCode": "44"}]
    number = str(random.randint(10**8, 10**10))
    return {
        ORG + "telephone": [{"telephoneNumber": number, "isdCode": phones[0].get("isdCode"), "isUnreachable": False}]
    }


def _website(document: Document, random: Random, _day: str) -> Changes:
    word = str(document.get("primaryName", "company")).split()[0].lower()
    name = "".join(letter for letter in word if letter.isascii() and letter.isalnum()) or "company"
    return {
        ORG + "websiteAddress": [
            {"url": f"www.{name}-{random.randint(2, 99)}.example", "domainName": f"{name}.example"}
        ]
    }


def _owner(document: Document, random: Random, _day: str) -> Changes:
    before = look(document, ORG + "corporateLinkage.globalUltimate.duns")
    duns = f"{random.randint(0, 10**9 - 1):09d}"
    owner = {"duns": duns if duns != before else "000000001", "primaryName": f"Holding {duns[:3]} Group"}
    return {ORG + "corporateLinkage.globalUltimate": owner, ORG + "corporateLinkage.parent": owner}


def _employees(document: Document, random: Random, _day: str) -> Changes:
    found = document.get("numberOfEmployees") or [{"value": 100}]
    value = max(1, round(found[0].get("value", 100) * random.uniform(0.8, 1.25)) + random.choice((-1, 1)))
    return {ORG + "numberOfEmployees": [{**found[0], "value": value}, *found[1:]]}


def _financials(document: Document, random: Random, day: str) -> Changes:
    found = document.get("financials") or [{"yearlyRevenue": [{"value": 1_000_000.0, "currency": "USD"}]}]
    revenue = found[0]["yearlyRevenue"][0]
    new = {**revenue, "value": round(revenue["value"] * random.uniform(0.85, 1.2), 2)}
    return {ORG + "financials": [{**found[0], "financialStatementToDate": day, "yearlyRevenue": [new]}]}


def _principal(_document: Document, random: Random, _day: str) -> Changes:
    given = random.choice(("Maria", "James", "Yuki", "Anke", "Luca", "Priya"))
    name = f"{given} {random.choice(('Weber', 'Costa', 'Tanaka', 'Shah', 'Smith', 'Jansen'))}"
    return {ORG + "mostSeniorPrincipal": {"fullName": name, "jobTitles": [{"title": "Chief Executive Officer"}]}}


def _industry(_document: Document, random: Random, _day: str) -> Changes:
    code, text = random.choice((("2834", "Pharmaceuticals"), ("3571", "Computers"), ("5141", "Groceries, wholesale")))
    return {ORG + "industryCodes": [{"code": code, "description": text, "typeDnBCode": 399, "priority": 1}]}


def _score_date(_document: Document, random: Random, day: str) -> Changes:
    name = random.choice(("failureScore.scoreDate", "delinquencyScore.scoreDate", "standardRating.scoreDate"))
    return {ASSESSMENT + name: day}


def _assessment_date(_document: Document, _random: Random, day: str) -> Changes:
    return {ASSESSMENT + "creditLimitRecommendation.assessmentDate": day}


def _family(document: Document, random: Random, _day: str) -> Changes:
    path = ORG + random.choice(
        ("corporateLinkage.globalUltimateFamilyTreeMembersCount", "corporateLinkage.branchesCount")
    )
    before = look(document, path)
    return {path: max(1, (20 if before is ABSENT else before) + random.choice((-2, -1, 1, 2, 3)))}


HAPPENINGS: dict[str, Happening] = {
    "bankruptcy": _legal("Bankruptcy"),
    "insolvency": _legal("Insolvency"),
    "liquidation": _legal("Liquidation"),
    "suspension_of_payments": _legal("SuspensionOfPayments"),
    "lawsuit": _legal("Suits"),
    "exclusion": _flag("exclusions.hasActiveExclusions"),
    "high_risk": _flag("isHighRiskBusiness"),
    "deteriorating": _flag("isDeterioratingBusiness"),
    "fire": _flag("significantEvents.hasFireOccurred"),
    "disaster": _flag("significantEvents.hasDisasterOccurred"),
    "out_of_business": lambda document, _random, _day: status(document, 403),
    "active_again": lambda document, _random, _day: status(document, 9074),
    "score_fall": _score("failureScore", -18, -6),
    "score_rise": _score("failureScore", 3, 9),
    "delinquency_fall": _score("delinquencyScore", -15, -5),
    "rating_worse": _rating,
    "ownership_change": _owner,
    "name_change": _name,
    "address_change": _address,
    "telephone_change": _telephone,
    "website_change": _website,
    "employees_change": _employees,
    "financials_change": _financials,
    "principal_change": _principal,
    "industry_change": _industry,
    "score_date": _score_date,
    "assessment_date": _assessment_date,
    "family_count": _family,
}
NOISE = ("score_date", "score_date", "score_date", "assessment_date", "family_count")
