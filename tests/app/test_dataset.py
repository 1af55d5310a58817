"""The Data set page on a tiny model, and its figures."""

import csv
import io
import time
from dataclasses import replace

import pytest

from app import jobs, models, runs, surveys
from app.figures import groups
from app.figures import survey as figures
from app.figures.colours import LIGHT
from app.figures.survey_tables import rows_table
from app.figures.tables import to_csv
from app.says import findings
from app.visitor import session
from app.visitor.uploads import DataSet
from ltp_core.data.rows import DataError
from ltp_core.data.sentences import own_sentences
from ltp_core.data.survey import Answer, Fate, Point, Row, Survey
from ltp_core.flops import paper_flops
from tests.app.harness import html, open_view, run, set_task


@pytest.fixture
def dataset(tiny_folder):
    models.load.clear()
    return lambda **query: open_view("evidence", **{"show": "file", **query})


def finish(page):
    """Wait for the page's job, then run the page once more."""
    job = page.session_state["data_set"].job
    deadline = time.monotonic() + 40
    while job.state == "running" and time.monotonic() < deadline:
        time.sleep(0.02)
    return run(page)


def show(page, found):
    """Put results on the page, as if its job had found them."""
    memory = page.session_state["data_set"]
    memory.job = jobs.BackgroundJob(state="finished", result=(DataSet("a file", [], None), found))
    settings = page.session_state[session.MEMORY].settings
    memory.key = (settings.model, settings.thresholds)


def row(text="a film", dense="positive", pruned="positive", share=0.9, tokens=4, alive=(4, 3, 1), gold=None):
    return Row(
        text, gold, Answer(dense, share, None), Answer(pruned, 0.6, None), tokens, alive, 1_000, 100 * tokens
    )


def of_task(folder, task):
    """The tiny model, said to be of this task."""
    set_task(folder, task)
    models.load.clear()
    return models.load(folder, "cpu")


@pytest.fixture
def found():
    rows = (
        row(),
        row("b < film", pruned="negative", tokens=5, alive=(5, 3, 2)),
        row("c", pruned="negative", share=0.99),
    )
    points = (Point(0, 1, 1, 0.9), Point(0.5, 1.2, 1, 0.95), Point(1, 1.5, 1 / 3, 0.8))
    fates = (Fate("the", 5, 0.5, 1.0), Fate("film", 4, 3, 0), Fate("rare", 1, 0, 1))
    return Survey(rows, points, fates, "accuracy", 0)


def test_it_invites(dataset):
    page = dataset()
    assert "the results appear here" in html(page) and "5 MB" in html(page)
    assert "Data of the task" not in page.get("button_group")[0].proto.options.__str__()


def test_our_sentences_run_in_the_background(dataset):
    page = dataset()
    page.button(key="run_set").click()
    page.run()
    finish(page)
    said = html(page)
    assert f"fewer FLOPs on {len(runs.own_texts(pairs=False))} texts" in said
    assert "our own sentences" in said and "have changed since" not in said
    assert page.session_state["data_set"].job.state == "finished"


def test_a_model_that_compares_gets_pairs_of_our_sentences(tiny_folder):
    texts = surveys.ours(of_task(tiny_folder, "mrpc")).texts
    ours = own_sentences()
    assert texts == [(ours[at], ours[at + 1]) for at in range(0, len(ours) - 1, 2)] != []


@pytest.mark.parametrize(
    ("task", "texts", "said"),
    [
        ("mrpc", ["a"], "a.csv holds single texts, but a model of mrpc reads pairs"),
        ("sst2", [("a", "b")], "a.csv holds pairs of texts, but a model of sst2 reads single texts"),
    ],
)
def test_texts_that_do_not_fit_the_model_are_refused(tiny_folder, task, texts, said):
    model = of_task(tiny_folder, task)
    with pytest.raises(DataError, match=said):
        surveys.check_texts(model, DataSet("a.csv", texts, None))


def test_a_file_that_does_not_fit_is_not_run(dataset, tiny_folder):
    of_task(tiny_folder, "mrpc")
    page = dataset(source="file")
    page.file_uploader(key="upload").set_value(("a.csv", b"text,label\na film,1\n", "text/csv"))
    run(page)
    assert "reads pairs of texts: choose which column of a.csv holds the second text" in html(page)
    assert page.session_state["data_set"].job is None and page.button(key="run_set").disabled


def upload(page, content, name="a.csv"):
    page.file_uploader(key="upload").set_value((name, content, "text/csv"))
    return run(page)


def column(page, label):
    """The box that chooses which column holds this."""
    return next(box for box in page.selectbox if box.label == label)


def test_a_file_is_shown_before_it_runs(dataset, tiny_folder):
    page = upload(dataset(source="file"), b"text,label\na film,1\nb film,0\n")
    assert "2 rows with labels will run" in html(page)
    shown = page.dataframe[0].value
    assert list(shown["text"]) == ["a film", "b film"] and list(shown["label"]) == ["LABEL_1", "LABEL_0"]
    assert page.session_state["data_set"].job is None


def test_columns_with_other_names_are_chosen_and_then_run(dataset, tiny_folder):
    page = upload(dataset(source="file"), b"id,review,stars\n1,a film,0\n2,b film,1\n")
    assert "Choose which column of a.csv holds the text." in html(page)
    assert page.button(key="run_set").disabled
    column(page, "Text").select("review")
    column(page, "Label (optional)").select("stars")
    run(page)
    assert "2 rows with labels will run" in html(page)
    page.button(key="run_set").click()
    run(page)
    finish(page)
    data, found = page.session_state["data_set"].job.result
    assert data.texts == ["a film", "b film"] and data.labels == [0.0, 1.0]
    assert [row.gold for row in found.rows] == [0.0, 1.0]


def test_a_column_is_read_as_one_thing_only(dataset):
    page = upload(dataset(source="file"), b"text,label\na film,1\n")
    column(page, "Label (optional)").select("text")
    run(page)
    assert "A column can be read as one thing only" in html(page) and page.button(key="run_set").disabled


def test_another_file_of_the_same_name_does_not_take_over_the_results_of_the_first(dataset):
    first, second = b"text,label\na film,1\nb film,0\n", b"text,label\nc film,1\nd film,0\n"
    page = upload(dataset(source="file"), first)
    page.button(key="run_set").click()
    run(page)
    finish(page)
    assert "results of other texts" not in html(page)
    page = upload(page, second)
    assert "c film" in list(page.dataframe[0].value["text"])
    assert "These are results of other texts than are chosen above" in html(page)
    page.button(key="run_set").click()
    run(page)
    finish(page)
    assert "results of other texts" not in html(page)
    assert page.session_state["data_set"].job.result[0].texts == ["c film", "d film"]
    page = upload(page, second, "renamed.csv")  # what was run, however it is called
    assert "results of other texts" not in html(page)
    page.query_params["source"] = "ours"
    assert "results of other texts" in html(run(page))


def test_a_file_whose_columns_change_after_the_preview_is_previewed_anew(dataset):
    page = upload(dataset(source="file"), b"id,review,stars\n1,a film,0\n")
    column(page, "Text").select("review")
    column(page, "Label (optional)").select("stars")
    assert "1 row with labels will run" in html(run(page))
    page = upload(page, b"id,review,stars\n2,b film,1\n")  # of the same columns: what was chosen holds
    assert list(page.dataframe[0].value["text"]) == ["b film"] and not page.button(key="run_set").disabled
    page = upload(page, b"number,said,review text\n3,c film,1\n")
    assert "Choose which column of a.csv holds the text." in html(page)
    assert column(page, "Text").value is None and page.button(key="run_set").disabled
    page = upload(page, b"text,number\nd film,4\n")
    assert list(page.dataframe[0].value["text"]) == ["d film"] and not page.button(key="run_set").disabled


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,label\na film,seven\n", "row 1: the label &#x27;seven&#x27; is none of"),
        (b"text,label\n,1\n", "row 1 (line 2): column &#x27;text&#x27; holds no text"),
        (b"text\n\xff\n", "is not UTF-8 text"),
        (b"", "a.csv has no columns"),
    ],
)
def test_a_bad_file_is_refused_before_it_can_run(dataset, content, said):
    page = upload(dataset(source="file"), content)
    assert said in html(page) and page.button(key="run_set").disabled


def test_results_by_length_and_by_class_are_counted(found):
    rows = [
        replace(one, gold=gold, tokens=tokens)
        for one, gold, tokens in zip(found.rows, (1.0, 1.0, 0.0), (4, 9, 20), strict=True)
    ]
    classes = ("negative", "positive")  # dense says positive three times; pruned positive, negative, negative
    by_class = {
        line[0]: [cell.replace("\u00a0", " ") for cell in line] for line in groups.by_class(rows, classes)
    }
    assert by_class["positive"][1] == "2" and by_class["positive"][3].startswith("50 %")  # one of two flips
    assert by_class["positive"][4].startswith("100 %") and by_class["positive"][5] == "50 % (9 to 91)"
    assert by_class["negative"][4].startswith("0 %") and by_class["negative"][5].startswith("100 %")
    lengths = groups.by_length(rows, classes)
    assert [line[0] for line in lengths] == ["4 tokens", "9 tokens", "20 tokens"]
    equal = groups.by_length([replace(row, tokens=16) for row in rows] * 5, classes)
    assert [line[:2] for line in equal] == [("16 tokens", "15")]
    (none_stays,) = groups.by_length([replace(rows[1], tokens=9)] * 20, classes)
    assert none_stays[3].startswith("0") and "-" not in none_stays[3]  # and no less than none
    many = [replace(found.rows[0], tokens=n) for n in range(1, 101)]
    spans = ["1–25 tokens", "26–50 tokens", "51–75 tokens", "76–100 tokens"]
    assert [line[0] for line in groups.by_length(many, classes)] == spans
    unlabelled = groups.by_class([replace(row, gold=None) for row in rows], classes)
    assert [line[0] for line in unlabelled] == ["dense says positive"] and unlabelled[0][4] == ""


def test_what_is_not_known_without_labels_is_no_column_and_nothing_unseen_is_shown(dataset, found):
    page = dataset()
    show(page, found)
    page.session_state["data_set"].classes = ("negative", "positive")
    said = html(run(page))
    table = said.split("Results by length</caption>")[1].split("</table>")[0]
    assert "Same answer" in table and "Right, dense" not in table and "<td></td>" not in table
    assert "U+" not in said


def test_the_file_of_results_begins_with_what_flipped(found):
    table = rows_table(found)
    assert table["flipped"] == [True, True, False] and table["row"] == [2, 3, 1]


def test_the_file_of_results_names_labels_as_it_names_answers(found):
    labelled = replace(
        found, rows=[replace(row, gold=gold) for row, gold in zip(found.rows, (1.0, 0.0, None), strict=True)]
    )
    assert rows_table(labelled, ("negative", "positive"))["label"] == ["negative", None, "positive"]
    assert rows_table(labelled)["label"] == [0.0, None, 1.0]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("\u200b", "row 20: the text is empty"),
        ("a\ud800", "row 20: a text holds something that is no Unicode"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_before_any_is_run(tiny_folder, monkeypatch, bad, said):
    model = models.load(tiny_folder, "cpu")
    monkeypatch.setattr(model, "predict", lambda *args, **kwargs: pytest.fail("it ran a text"))
    data = DataSet("a.csv", [*["a film"] * 19, bad], None)
    with pytest.raises(surveys.SurveyProblem, match=f"^a.csv, {said}"):
        surveys.run(model, (0.0, 0.0, 0.0), lambda: data, lambda done, total: None)


def test_the_check_of_rows_can_be_stopped(tiny_folder):
    def stop(done, total):
        raise jobs.Stopped

    model = models.load(tiny_folder, "cpu")
    with pytest.raises(jobs.Stopped):
        surveys.run(model, (0.0, 0.0, 0.0), lambda: DataSet("a.csv", ["\u200b"], None), stop)


def test_a_model_of_an_unknown_task_may_read_both(tiny_folder):
    model = models.load(tiny_folder, "cpu")
    for text in ("a", ("a", "b")):
        surveys.check_texts(model, DataSet("a.csv", [text], None))


def test_results_of_other_thresholds_are_said_to_be_old(dataset):
    page = dataset()
    page.button(key="run_set").click()
    page.run()
    finish(page)
    assert "Model: tiny. Thresholds: the learned ones." in html(page)
    page.query_params["t1"] = "0.2"
    said = html(run(page))
    assert "Model or thresholds have changed since this run" in said
    assert "Model: tiny. Thresholds: the learned ones." in said


def test_a_flipped_text_opens_in_explore(dataset, monkeypatch, found):
    page = dataset()
    show(page, found)
    opened = []
    monkeypatch.setattr(
        "app.visitor.session.open_page", lambda path, **settings: opened.append((path, settings))
    )
    run(page)
    assert "2 of 3 texts change their answer" in html(page)
    page.button(key="open_1").click()
    run(page)
    assert opened == [("views/explore.py", {"text": "b < film", "pair": ""})]


def test_a_text_opens_only_under_the_settings_of_its_run(dataset, found):
    page = dataset()
    show(page, found)
    run(page)
    assert not page.button(key="open_0").disabled
    page.query_params["t1"] = "0.2"
    run(page)
    assert page.button(key="open_0").disabled
    assert "have changed since this run" in page.button(key="open_0").help


def test_a_sentence_that_a_teacher_has_fixed_is_not_replaced(dataset, found):
    page = dataset(hide="text")
    show(page, found)
    assert "2 of 3 texts change their answer" in html(run(page))
    assert not [button for button in page.button if button.key.startswith("open_")]


def test_too_many_at_once_are_refused(dataset, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_JOBS", 0)
    page = dataset()
    page.button(key="run_set").click()
    assert "0 visitors run something right now" in html(run(page))


def test_a_reload_finds_the_run_again(dataset, monkeypatch):
    monkeypatch.setattr(jobs, "_who", lambda: ("a browser", ""))
    page = dataset()
    page.button(key="run_set").click()
    first = finish(run(page))
    again = dataset()
    assert again.session_state["data_set"] is first.session_state["data_set"]
    assert html(again) == html(first)


def test_a_file_of_long_rows_is_cut_to_what_one_run_may_cost(tiny_folder, monkeypatch):
    """1,900 rows of 500 words took half an hour in one of two places."""
    model = models.load(tiny_folder, "cpu")
    long, short = "very good film " * 40, "good film"
    data = DataSet("long.csv", [long] * 30 + [short] * 30, [0.0] * 60)
    size = model.dimensions
    tokens = [int(model.encode([text])[0]["attention_mask"].sum()) for text in data.texts]
    one = 6 * paper_flops(size, tokens[0], [tokens[0]] * size.layers)
    monkeypatch.setattr(surveys, "MOST_WORK", 10.5 * one)
    texts, found = surveys.run(model, (0.1, 0.1, 0.1), lambda: data, lambda done, total: None)
    assert len(found.rows) == len(texts.texts) == len(texts.labels) == 10
    assert "first 10 of 60 texts" in texts.note
    monkeypatch.setattr(surveys, "MOST_WORK", 0.0)
    assert len(surveys.affordable(model, data, tokens, 6).texts) == 1  # never nothing
    monkeypatch.setattr(surveys, "MOST_WORK", 1e18)
    assert surveys.affordable(model, data, tokens, 6) is data


def test_cancel(dataset):
    page = dataset()
    page.session_state["data_set"].job = job = jobs.BackgroundJob(done=3, total=10)
    run(page)
    page.button(key="cancel_job").click()
    run(page)
    assert job.stop.is_set()
    job.state = "stopped"  # what the thread does at its next step
    run(page)
    assert "Cancelled" in html(page)


def test_a_run_that_nobody_waited_for_was_not_cancelled(dataset):
    page = dataset()
    page.session_state["data_set"].job = jobs.BackgroundJob(state="left")
    said = html(run(page))
    assert "your browser was not connected for 60 seconds" in said and "Cancelled" not in said


def test_data_that_cannot_be_had_is_said_in_one_line(tiny_folder, monkeypatch, tmp_path):
    monkeypatch.setenv(surveys.DATA_VARIABLE, str(tmp_path / "nowhere"))
    model = models.load(tiny_folder, "cpu")
    monkeypatch.setattr(type(model.settings), "task", "sst2", raising=False)
    object.__setattr__(model.settings, "task", "sst2")
    with pytest.raises(surveys.SurveyProblem, match="cannot be read in LTP_LAB_DATA"):
        surveys.task_sample(model, 10)


def test_the_curve_has_a_point_for_each_factor(found):
    figure = figures.curve(found.curve, "accuracy", 3, LIGHT)
    line = figure.data[0]
    assert list(line.x) == [1, 1.2, 1.5] and list(line.y) == pytest.approx([90, 95, 80])
    assert line.text is None and figure.layout.showlegend  # beside a dot a word lies on the next one
    assert [named.name for named in figure.data[1:]] == ["dense", "your thresholds"]
    assert [list(line.marker.color)[place] for place in (0, 2)] == [
        named.marker.color for named in figure.data[1:]
    ]
    without = [Point(p.factor, p.flops_reduction, p.agreement, None) for p in found.curve]
    assert list(figures.curve(without, "accuracy", 3, LIGHT).data[0].y) == pytest.approx([100, 100, 100 / 3])


def test_tokens_kept_are_shares_of_all(found):
    assert list(figures.kept(found.kept_per_layer, LIGHT).data[0].y) == pytest.approx(
        [100, 900 / 13, 400 / 13]
    )
    assert findings.kept(found.kept_per_layer).startswith("Most tokens leave in layer 3: 38")


def test_rare_words_are_left_out(found):
    chosen = figures.chosen_words(found.fates)
    assert [fate.token for fate in chosen] == ["the", "film"]
    bars = figures.words(chosen, 3, LIGHT).data[0]
    assert list(bars.x) == [0.5, 3] and bars.marker.color == (LIGHT.dropped, LIGHT.pruned)
    assert findings.words_that_go(chosen, 3) == "“the” goes first, after 0.5 layers; “film” stays longest"


def test_a_word_alone_is_not_first_and_last():
    assert findings.words_that_go([Fate(".", 9, 0.5, 1)], 3) == "“.” stays for 0.5 of 3 layers"
    two = [Fate("a", 9, 0, 1), Fate("b", 9, 0, 1)]
    assert findings.words_that_go(two, 3) == "Every word stays for 0.0 of 3 layers"


@pytest.mark.parametrize(("metric", "counted"), [("accuracy", True), ("f1", False), ("matthews", False)])
def test_one_text_is_so_many_points_of_accuracy_alone(dataset, found, metric, counted):
    page = dataset()
    show(page, replace(found, metric=metric))
    assert ("With 3 texts, one text is 33.3 points" in html(run(page))) == counted


def test_texts_with_another_answer_are_marked(found):
    dense, same, flipped = figures.work(found, LIGHT).data
    assert list(dense.x) == [4, 4, 5]
    assert (list(same.x), list(flipped.x)) == ([4], [4, 5])
    assert "b &lt; film" in flipped.customdata[1]


def test_the_finding_counts(found):
    said = findings.survey(found).replace("\u00a0", " ")
    assert said == "2.3× fewer FLOPs on 3 texts; 2 change their answer; accuracy 80.0 %, dense 90.0 %"


def test_the_file_holds_every_row(found):
    rows = list(csv.DictReader(io.StringIO(to_csv(rows_table(found)))))
    assert [r["text"] for r in rows] == ["b < film", "c", "a film"]
    assert [r["flipped"] for r in rows] == ["True", "True", "False"]
    assert [r["tokens left"] for r in rows] == ["5 3 2", "4 3 1", "4 3 1"]
    assert sum(int(r["pruned FLOPs"]) for r in rows) == sum(r.flops for r in found.rows)
