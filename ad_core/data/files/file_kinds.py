"""What a file is by its first bytes, for formats that are not read, so that a refusal can name them."""

_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x89HDF": "an HDF5 file",
    b"MATLAB 5.0": "a MATLAB file",
    b"SQLite format 3": "an SQLite database",
    b"Obj\x01": "an Avro file",
    b"$FL2": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"CDF\x01": "a NetCDF file",
    b"CDF\x02": "a NetCDF file",
    b"TDSm": "a TDMS file",
    b"MDF     ": "an MDF file",
    b"RDX": "an R data file",
    b"\x80\x02": "a Python pickle, which could run programs",
    b"\x80\x03": "a Python pickle, which could run programs",
    b"\x80\x04": "a Python pickle, which could run programs",
    b"\x80\x05": "a Python pickle, which could run programs",
}
_MARKUP = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    b"<table": "a web page (HTML)",
    b"<?xml": "an XML document",
}
_TAR_AT = 257


def foreign_kind(head: bytes) -> str:
    """What a file is that is no table, "" where its first bytes do not tell."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    found = next((text for magic, text in _MAGIC.items() if head.startswith(magic)), "")
    found = found or next((text for tag, text in _MARKUP.items() if start.startswith(tag)), "")
    return found or ("a tar archive" if head[_TAR_AT : _TAR_AT + 5] == b"ustar" else "")
