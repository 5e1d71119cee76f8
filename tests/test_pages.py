"""All pages: every link leads somewhere, every page is found, and what they quote and measure stands where they say."""

import re

import pytest

from helpers import ROOT, STAGES, stage_source

LESSON = sorted((ROOT / "docs" / "lesson").glob("*.md"))
GUIDES = [ROOT / name for name in ("benchmarks/README.md", "data/README.md", "mlengine/README.md")]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *LESSON,
    *GUIDES,
    ROOT / "mlengine/samples/README.md",
]


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def text_of(page):
    return page.read_text(encoding="utf-8")


def links(page):
    """The (path, heading) of each link to something in the project; the heading may be empty."""
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text_of(page)):
        name, _, heading = target.partition("#")
        yield (page.parent / name).resolve() if name else page, heading


def headings_of(page):
    """The headings as links name them."""
    headings = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?ms)^```.*?^```", "", text_of(page)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_lead_somewhere(page):
    for path, heading in links(page):
        assert path.exists(), path
        assert not heading or heading in headings_of(path), (path, heading)


def test_readme_leads_to_every_page():
    found, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        found.add(page)
        to_read += {path for path, _ in links(page) if path.suffix == ".md" and path.exists()} - found
    assert found == set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_programs_in_commands_are_there(page):
    for program in re.findall(r"\.venv/bin/python(?: -P)? ([\w./]+\.py)", text_of(page)):
        assert (ROOT / program).exists(), program


@pytest.mark.parametrize("chapter", LESSON, ids=name_of)
def test_the_code_that_the_lesson_quotes_stands_in_the_scripts(chapter):
    lines = {line.split("  #")[0].rstrip() for stage in STAGES for line in stage_source(stage).splitlines()}
    for block in re.findall(r"```python\n(?!# \w+\.py\n)(.*?)```", text_of(chapter), re.DOTALL):  # no whole program
        assert set(block.splitlines()) <= lines


@pytest.mark.parametrize("chapter", LESSON, ids=name_of)
def test_the_results_that_the_lesson_tells_are_those_that_were_measured(chapter):
    text = " ".join(text_of(chapter).split())
    results = text_of(ROOT / "docs" / "results.md")
    for spread in re.findall(r"0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)", text):
        assert spread in results
