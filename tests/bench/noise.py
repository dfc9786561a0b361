"""Errors for clean people: typing, reading, nicknames, a household member's birth date, moves, what is missing.

noisy(rows, seed, tables) answers the rows as another source would have them; the same seed gives the same rows. Rates are per
value and record; tables is the folder with the nicknames and the characters that are misread.
"""
import csv
import random
import re

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")


def neighbours(character):
    for row in KEYS:
        at = row.find(character.lower())
        if at >= 0:
            return [row[i] for i in (at - 1, at + 1) if 0 <= i < len(row)]
    return []


def mistype(text, dice, _):
    """One of: a key beside it, a character left out, one twice, two in the wrong order."""
    if len(text) < 2:
        return text
    at, kind = dice.randrange(len(text) - 1), dice.randrange(4)
    near = neighbours(text[at])
    if kind == 0 and near:
        return text[:at] + dice.choice(near) + text[at + 1:]
    if kind == 1:
        return text[:at] + text[at + 1:]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1] + text[at] + text[at + 2:]


def misread(text, dice, tables):
    places = [i for i, c in enumerate(text) if c in tables["ocr"]]
    if not places:
        return text
    at = dice.choice(places)
    return text[:at] + dice.choice(tables["ocr"][text[at]]) + text[at + 1:]


def nickname(text, dice, tables):
    known = tables["nicknames"].get(text.lower())
    return dice.choice(known).capitalize() if known else text


def slip(text, dice, _):
    """One digit of a date is off, and the date may not exist."""
    at = dice.choice([i for i, c in enumerate(text) if c.isdigit()] or [0])
    return text[:at] + str(dice.randrange(10)) + text[at + 1:] if text else text


def swap_day_and_month(text, _dice, _tables):
    return re.sub(r"^(\d{4})-(\d\d)-(\d\d)$", r"\1-\3-\2", text)


def nothing(_text, _dice, _tables):
    return ""


# column: (rate, error) in the order they strike
ERRORS = {
    "first_name": ((0.04, nickname), (0.02, mistype), (0.01, misread), (0.01, nothing)),
    "middle_initial": ((0.08, nothing),),
    "last_name": ((0.02, mistype), (0.01, misread), (0.01, nothing)),
    "date_of_birth": ((0.02, slip), (0.01, swap_day_and_month), (0.01, nothing)),
    "street_number": ((0.02, slip), (0.01, nothing)),
    "street_name": ((0.03, mistype), (0.02, nothing)),
    "sex": ((0.01, nothing),),
}
COPIED_BIRTH, MOVED = 0.01, 0.05


def read_tables(folder):
    tables = {"nicknames": {}, "ocr": {}}
    with open(f"{folder}/pseudopeople_nicknames.csv", encoding="utf-8") as file:
        for row in csv.reader(file):
            tables["nicknames"][row[0]] = [name for name in row[1:] if name]
    with open(f"{folder}/pseudopeople_ocr_errors.csv", encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and "," in line:
                right, read = line.strip().split(",")[:2]
                tables["ocr"].setdefault(right, []).append(read)
    return tables


def noisy_row(row, others, dice, tables):
    row = dict(row)
    if dice.random() < MOVED:
        elsewhere = dice.choice(others)
        row.update({name: elsewhere[name] for name in ("street_number", "street_name", "unit_number")})
    if dice.random() < COPIED_BIRTH and row["copy_date_of_birth"]:
        row["date_of_birth"] = row["copy_date_of_birth"]
    for column, errors in ERRORS.items():
        for rate, error in errors:
            if dice.random() < rate:
                row[column] = error(row[column], dice, tables)
    return row


def noisy(rows, seed, tables):
    dice = random.Random(seed)
    return [noisy_row(row, rows, dice, tables) for row in rows]
