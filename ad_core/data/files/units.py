"""Units of measurement as files write them: which ones are known, and which can be converted into each other."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """One unit: value in the base unit of its dimension = factor * value + offset."""

    symbol: str
    dimension: str
    factor: float
    offset: float = 0.0


_SCALES: dict[str, dict[str, float]] = {
    "mass": {"kg": 1, "g": 1e-3, "mg": 1e-6, "µg": 1e-9, "t": 1e3, "lb": 0.45359237, "oz": 0.028349523125},
    "length": {
        "m": 1, "km": 1e3, "cm": 1e-2, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "in": 0.0254, "ft": 0.3048, "mi": 1609.344,
    },
    "time": {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "min": 60, "h": 3600, "d": 86_400},
    "pressure": {
        "Pa": 1, "hPa": 100, "kPa": 1e3, "MPa": 1e6, "bar": 1e5, "mbar": 100, "psi": 6894.757293168, "atm": 101_325,
        "mmHg": 133.322387415,
    },
    "voltage": {"V": 1, "mV": 1e-3, "kV": 1e3, "µV": 1e-6},
    "current": {"A": 1, "mA": 1e-3, "kA": 1e3, "µA": 1e-6},
    "power": {"W": 1, "mW": 1e-3, "kW": 1e3, "MW": 1e6, "GW": 1e9},
    "energy": {"J": 1, "kJ": 1e3, "MJ": 1e6, "Wh": 3600, "kWh": 3.6e6, "MWh": 3.6e9},
    "frequency": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "rotation": {"rpm": 1},
    "resistance": {"Ω": 1, "kΩ": 1e3, "MΩ": 1e6},
    "speed": {"m/s": 1, "km/h": 1 / 3.6, "mph": 0.44704, "kn": 1852 / 3600},
    "acceleration": {"m/s²": 1},
    "force": {"N": 1, "kN": 1e3},
    "torque": {"Nm": 1},
    "volume": {"l": 1, "ml": 1e-3, "m³": 1e3},
    "flow": {"l/min": 1, "l/s": 60, "l/h": 1 / 60, "m³/h": 1000 / 60, "m³/s": 60_000},
    "concentration": {"g/l": 1, "mg/l": 1e-3, "µg/l": 1e-6, "ng/l": 1e-9, "mg/dl": 1e-2, "mg/ml": 1, "ng/ml": 1e-6},
    "amount": {"mol/l": 1, "mmol/l": 1e-3, "µmol/l": 1e-6},
    "data": {
        "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
        "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    },
    "data rate": {"bit/s": 1, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9},
    "share": {"%": 1, "‰": 0.1},
    "part": {"ppm": 1, "ppb": 1e-3},
    "angle": {"°": 1},
    "level": {"dB": 1},
    "dBm": {"dBm": 1},
    "radiation": {"W/m²": 1},
}  # fmt: skip
_TEMPERATURES = {"K": (1.0, 0.0), "°C": (1.0, 273.15), "°F": (5 / 9, 459.67 * 5 / 9)}
_SPELLINGS = {
    "C": "°C", "degC": "°C", "deg C": "°C", "Deg C": "°C", "DegC": "°C", "celsius": "°C", "Celsius": "°C", "℃": "°C",
    "F": "°F", "degF": "°F", "deg F": "°F", "Deg F": "°F", "fahrenheit": "°F", "Fahrenheit": "°F", "℉": "°F",
    "kelvin": "K", "Kelvin": "K", "° C": "°C", "° F": "°F", "ºC": "°C",
    "lbs": "lb", "to": "t", "kgs": "kg", "um": "µm", "μm": "µm", "inch": "in", "feet": "ft", "miles": "mi",
    "ug": "µg", "μg": "µg", "mcg": "µg",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "Seconds": "s", "us": "µs", "μs": "µs", "msec": "ms",
    "mins": "min", "minutes": "min", "Minutes": "min", "hr": "h", "hrs": "h", "hours": "h", "hour": "h", "Hours": "h",
    "day": "d", "days": "d", "Bar": "bar", "PSI": "psi", "mmhg": "mmHg", "torr": "mmHg", "Torr": "mmHg",
    "Volts": "V", "volts": "V", "Volt": "V", "volt": "V", "Amps": "A", "amps": "A", "Amp": "A", "uA": "µA", "uV": "µV",
    "Watt": "W", "Watts": "W", "watts": "W", "KW": "kW", "KWh": "kWh", "kwh": "kWh", "HZ": "Hz", "hz": "Hz",
    "RPM": "rpm", "U/min": "rpm", "1/min": "rpm", "r/min": "rpm", "min-1": "rpm", "ohm": "Ω", "Ohm": "Ω", "ohms": "Ω",
    "kohm": "kΩ", "kOhm": "kΩ", "MOhm": "MΩ", "kph": "km/h", "kmh": "km/h", "m s-1": "m/s", "m/sec": "m/s",
    "meters/second": "m/s", "knots": "kn", "kts": "kn", "m/s2": "m/s²", "m/s^2": "m/s²", "N m": "Nm", "N·m": "Nm",
    "L": "l", "mL": "ml", "liter": "l", "litre": "l", "m3": "m³", "m^3": "m³",
    "L/min": "l/min", "lpm": "l/min", "LPM": "l/min", "L/s": "l/s", "L/h": "l/h", "m3/h": "m³/h", "m^3/h": "m³/h",
    "g/L": "g/l", "mg/L": "mg/l", "ug/L": "µg/l", "ug/l": "µg/l", "µg/L": "µg/l", "μg/L": "µg/l", "ng/L": "ng/l",
    "mg/dL": "mg/dl", "mg/mL": "mg/ml", "ng/mL": "ng/ml", "mol/L": "mol/l", "mmol/L": "mmol/l", "µmol/L": "µmol/l",
    "KB": "kB", "Kb": "kB", "bytes": "B", "Bytes": "B", "bps": "bit/s", "kbps": "kbit/s", "Mbps": "Mbit/s",
    "Gbps": "Gbit/s", "Mb/s": "Mbit/s", "Gb/s": "Gbit/s", "percent": "%", "Percent": "%", "pct": "%",
    "deg": "°", "degrees": "°", "º": "°", "Deg": "°", "W/m2": "W/m²", "W/m^2": "W/m²", "Meters": "m", "meters": "m",
    "meter": "m", "metres": "m", "pascal": "Pa",
}  # fmt: skip
_CURRENCIES = {
    "$": "$", "USD": "$", "US$": "$", "€": "€", "EUR": "€", "£": "£", "GBP": "£", "¥": "¥", "JPY": "¥", "₹": "₹",
    "INR": "₹", "CHF": "CHF", "CNY": "CNY", "RMB": "CNY", "AUD": "AUD", "A$": "AUD", "CAD": "CAD", "C$": "CAD",
    "SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "PLN": "PLN", "zł": "PLN", "CZK": "CZK", "Kč": "CZK", "HUF": "HUF",
    "BRL": "BRL", "R$": "BRL", "MXN": "MXN", "ZAR": "ZAR", "KRW": "KRW", "₩": "KRW", "TRY": "TRY", "₺": "TRY",
    "RUB": "RUB", "₽": "RUB", "SGD": "SGD", "HKD": "HKD", "NZD": "NZD", "₿": "BTC", "BTC": "BTC",
}  # fmt: skip
MULTIPLES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "bn": 1e9, "mn": 1e6, "Mio": 1e6, "Mrd": 1e9, "T": 1e12}
"""Suffixes that only multiply: 1.5K is 1,500."""
CURRENCY = "|".join(re.escape(text) for text in sorted(_CURRENCIES, key=len, reverse=True))
"""A pattern that matches a currency."""
_BRACKETS = re.compile(r"[\[(<].{0,20}[\])>]")
_WORDS = re.compile(
    r"(?i)[-=_+*:|]{2,}|utc|gmt|ts|rn|yyyy|yr|mo|dy|hr|mn|unitless|dimensionless|counts?|"
    r"string|text|int(eger)?(16|32|64)?|float(16|32|64)?|double|long|bool(ean)?|date(time)?(:\w+)?|timestamp|object|"
    r"numeric|real|smp|avg|min|max|std|tot|mean|index|id|#"
)


def _known() -> dict[str, Unit]:
    units = {s: Unit(s, dimension, by) for dimension, scale in _SCALES.items() for s, by in scale.items()}
    units |= {s: Unit(s, "temperature", *by) for s, by in _TEMPERATURES.items()}
    units |= {text: Unit(symbol, symbol, 1.0) for text, symbol in _CURRENCIES.items()}
    return units | {text: units[symbol] for text, symbol in _SPELLINGS.items()}


_UNITS = _known()


def unit(text: str) -> Unit | None:
    """The unit that a text names, None if it is not known."""
    return _UNITS.get(text.strip().strip("[]()").strip())


def is_currency(text: str) -> bool:
    """Whether a text names a currency."""
    return text in _CURRENCIES


def looks_like_unit(text: str) -> bool:
    """Whether a text is a unit, in brackets or not, or the name of a type or an aggregate, as lines of units hold."""
    text = text.strip()
    return bool(unit(text) or _BRACKETS.fullmatch(text) or _WORDS.fullmatch(text) or _is_compound(text))


def is_unit(text: str) -> bool:
    """Whether a cell in a line of units gives one, and not only the type of a column or nothing."""
    inner = text.strip().strip("[]()<>").strip()
    return inner not in ("", "-", "--", "?") and not _WORDS.fullmatch(inner)


def _is_compound(text: str) -> bool:
    """Known units with exponents, joined by signs, such as kg/m^3 or W m-2."""
    parts = re.split(r"[/*·. ]", text)
    return len(parts) > 1 and len(text) <= 20 and all(unit(re.sub(r"\^?[-−]?\d$", "", p)) for p in parts if p)


def conversion(of: str, to: str) -> tuple[float, float] | None:
    """Factor and offset that turn values in one unit into another; None where that is not possible."""
    if of == to:
        return 1.0, 0.0
    have, want = unit(of), unit(to)
    if have is None or want is None or have.dimension != want.dimension:
        return None
    return have.factor / want.factor, (have.offset - want.offset) / want.factor
