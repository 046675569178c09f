"""The companies of the demo world as whole documents, in D&B's naming; the same for the same seed."""

import math
from collections.abc import Iterator
from random import Random
from unicodedata import normalize

from direct_plus.sandbox.demo.tables import COUNTRIES, TRADES, Country, Trade
from direct_plus.sandbox.state.companies import Document
from direct_plus.sandbox.state.event_catalog import RATINGS

GROUP_EVERY = 6
LEGAL = ("Bankruptcy", "Insolvency", "Liquidation", "SuspensionOfPayments", "Suits", "Liens", "Judgments")


def build(seed: int, day: str) -> list[Document]:
    """All companies; every sixth is the head of a group, a third of the others belong to one."""
    random = Random(f"companies {seed}")
    numbers = _numbers(random, sum(len(country.companies) for country in COUNTRIES.values()))
    documents = [
        _company(random, next(numbers), code, country, name, day)
        for code, country in COUNTRIES.items()
        for name in country.companies
    ]
    heads = documents[::GROUP_EVERY]
    for document in documents:
        if document not in heads and random.random() < 0.35:
            _belongs(document, random.choice(heads), heads, random)
    return documents


def _numbers(random: Random, count: int) -> Iterator[str]:
    """Nine digits each, about one in eight with leading zeros, none twice."""
    found: dict[str, None] = {}
    while len(found) < count:
        largest = random.choice((10**9, 10**9, 10**9, 10**9, 10**9, 10**9, 10**8, 10**7))
        found[f"{random.randrange(largest // 10, largest):09d}"] = None
    return iter(found)


def _company(random: Random, duns: str, code: str, country: Country, stem: str, day: str) -> Document:
    name, trade = f"{stem} {country.form[0]}", TRADES[country.companies[stem]]
    employees = _employees(random, trade)
    address = _address(random, code, country)
    return {
        "duns": duns,
        "dunsControlStatus": _status(),
        "primaryName": name,
        "registeredName": name,
        "countryISOAlpha2Code": code,
        "primaryAddress": address,
        "registeredAddress": address,
        "telephone": [_telephone(random, country)],
        "websiteAddress": [_website(stem, code)],
        "registrationNumbers": [_registration(random, country)],
        "businessEntityType": {"description": country.form[1], "dnbCode": 451},
        "startDate": str(random.randint(1898, 2019)),
        "industryCodes": [_industry(trade)],
        "mostSeniorPrincipal": _principal(random, country),
        "numberOfEmployees": [
            {"value": employees, "informationScopeDescription": "Consolidated", "reliabilityDescription": "Actual"}
        ],
        "financials": [_financials(random, country, trade, employees)],
        "corporateLinkage": {
            "globalUltimate": {"duns": duns, "primaryName": name},
            "domesticUltimate": {"duns": duns, "primaryName": name},
            "globalUltimateFamilyTreeMembersCount": random.randint(1, 40),
            "branchesCount": random.randint(0, 12),
        },
        "dnbAssessment": _assessment(random, country, employees, day),
        "legalEvents": {f"{kind}{event}": False for event in LEGAL for kind in ("has", "hasOpen")},
        "significantEvents": {"hasFireOccurred": False, "hasDisasterOccurred": False, "hasCriminalProceedings": False},
        "exclusions": {"hasActiveExclusions": False},
        "isHighRiskBusiness": False,
        "isDeterioratingBusiness": False,
    }


def _status() -> Document:
    return {
        "operatingStatus": {"description": "Active", "dnbCode": 9074},
        "isMarketable": True,
        "isDelisted": False,
        "isMailUndeliverable": False,
        "isTelephoneDisconnected": False,
    }


def _employees(random: Random, trade: Trade) -> int:
    """Small ones are common, large ones rare."""
    return round(trade.fewest * math.pow(trade.most / trade.fewest, math.pow(random.random(), 1.6)))


def _address(random: Random, code: str, country: Country) -> Document:
    city, region, postcode = random.choice(country.places)
    return {
        "addressCountry": {"name": country.name, "isoAlpha2Code": code},
        "addressLocality": {"name": city},
        "addressRegion": {"name": region},
        "postalCode": postcode,
        "streetAddress": _street(random, code, country),
    }


def _street(random: Random, code: str, country: Country) -> Document:
    street, number = random.choice(country.streets), random.randint(1, 180)
    return {"line1": f"{number} {street}" if code in ("US", "GB", "FR", "IN", "JP") else f"{street} {number}"}


def _principal(random: Random, country: Country) -> Document:
    return {"fullName": random.choice(country.people), "jobTitles": [{"title": "Managing Director"}]}


def local_changes(kind: str, document: Document, random: Random) -> Document:
    """What a change brings is of the company's own country."""
    code = document["countryISOAlpha2Code"]
    country = COUNTRIES[code]
    if kind == "address_change":
        return {"organization.primaryAddress.streetAddress": _street(random, code, country)}
    if kind == "principal_change":
        return {"organization.mostSeniorPrincipal": _principal(random, country)}
    return {}


def _telephone(random: Random, country: Country) -> Document:
    number = f"{random.randint(200, 999)}5550{random.randint(100, 199)}"
    return {"telephoneNumber": number, "isdCode": country.dialling, "isUnreachable": False}


def _website(stem: str, code: str) -> Document:
    plain = normalize("NFKD", stem.lower()).encode("ascii", "ignore").decode()
    domain = f"{''.join(letter for letter in plain if letter.isalnum())}-{code.lower()}.example"
    return {"url": f"www.{domain}", "domainName": domain}


def _registration(random: Random, country: Country) -> Document:
    number = str(random.randint(10**7, 10**9))
    return {
        "registrationNumber": number,
        "typeDescription": country.number_kind,
        "isPreferredRegistrationNumber": True,
    }


def _industry(trade: Trade) -> Document:
    return {
        "code": trade.sic,
        "description": trade.description,
        "typeDescription": "US Standard Industry Code 1987 - 4 digit",
        "typeDnBCode": 399,
        "priority": 1,
    }


def _financials(random: Random, country: Country, trade: Trade, employees: int) -> Document:
    rate = {"JPY": 150, "INR": 83, "BRL": 5, "SEK": 10}.get(country.currency, 1)
    value = round(employees * trade.revenue_each * random.uniform(0.6, 1.4) * rate, 2)
    revenue = {"value": value, "currency": country.currency}
    return {"financialStatementToDate": "2025-12-31", "reliabilityDescription": "Actual", "yearlyRevenue": [revenue]}


def _assessment(random: Random, country: Country, employees: int, day: str) -> Document:
    failure, delinquency = (max(4, min(99, round(random.gauss(68, 18)))) for _ in range(2))
    limit = {"value": employees * 500, "currency": country.currency}
    return {
        "failureScore": _score(failure, day),
        "delinquencyScore": _score(delinquency, day),
        "standardRating": {"rating": RATINGS[min(6, (100 - failure) // 12)], "scoreDate": day},
        "creditLimitRecommendation": {"maximumRecommendedLimit": limit, "assessmentDate": day},
    }


def _score(percentile: int, day: str) -> Document:
    return {"nationalPercentile": percentile, "classScore": 5 - min(4, (percentile - 1) // 20), "scoreDate": day}


def _belongs(document: Document, head: Document, heads: list[Document], random: Random) -> None:
    """A company of a group: its ultimate is the head, its domestic one a head of its own country, if there is one."""
    home = [one for one in heads if one["countryISOAlpha2Code"] == document["countryISOAlpha2Code"]]
    domestic = home[0] if home else document
    linkage = document["corporateLinkage"]
    linkage["globalUltimate"] = linkage["parent"] = named(head)
    linkage["domesticUltimate"] = named(domestic)
    linkage["globalUltimateFamilyTreeMembersCount"] = random.randint(12, 340)


def named(document: Document) -> Document:
    return {"duns": document["duns"], "primaryName": document["primaryName"]}
