"""How many hostile inputs there are, by where they come in: each is a row that a test runs over."""

from tests.hostile import files, test_commands, test_folders, test_lab, test_server

TABLES = {
    "the reader, by command and in the lab": files.CASES,
    "the loader": test_folders.BAD,
    "names of files": test_commands.NAMES,
    "data of every command that reads": test_commands.BAD_DATA,
    "outputs": {**test_commands.OUTPUTS, **test_commands.FILES},
    "options": test_commands.OPTIONS,
    "names of classes": test_lab.NAMES,
    "addresses": [*test_lab.PARAMETERS, *test_lab.PAGE_PARAMETERS],
    "cells for a spreadsheet": test_lab.CELLS,
    "settings of the server": test_server.OPENED,
}


def test_there_are_at_least_200():
    assert len(files.CASES) >= 150 and len({case.name for case in files.CASES}) == len(files.CASES)
    assert len(test_folders.BAD) >= 50
    assert sum(map(len, TABLES.values())) >= 300
    assert all(len(set(map(str, table))) == len(table) for table in TABLES.values())  # none counts twice
