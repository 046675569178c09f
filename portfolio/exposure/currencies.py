"""Currencies by their codes (ISO 4217), and the signs that stand for one currency alone."""

from __future__ import annotations

from typing import Any

_LIST = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CODES = frozenset(_LIST.split())
SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₴": "UAH"}
# Signs of several currencies: the code is asked for.
SHARED_SIGNS = "$¥"
WORDS = {"EURO": "EUR", "EUROS": "EUR", "SFR": "CHF", "FR": "CHF", "SFR.": "CHF", "FR.": "CHF", "US$": "USD"}
A = ord("A")
# Of fields of the API.
NO_CURRENCY: dict[str, Any] = {"invalid_choice": "“{input}” is not a currency. Send its code (ISO 4217), such as EUR."}


def currency_of(text: str) -> str:
    """The code that a text means; nothing where it means none, or several."""
    word = text.strip().upper()
    word = SIGNS.get(word) or WORDS.get(word) or word
    return word if word in CODES else ""


def number_of(code: str) -> int:
    """A code in two bytes."""
    first, second, third = (ord(letter) - A for letter in code)
    return (first * 26 + second) * 26 + third


def code_of(number: int) -> str:
    first, rest = divmod(number, 26 * 26)
    return "".join(chr(A + digit) for digit in (first, *divmod(rest, 26)))
