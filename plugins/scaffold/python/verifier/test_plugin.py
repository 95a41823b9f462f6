from jupiter_sdk import VerifyItem, testing

from jupiter_starter.plugin import PLUGIN


def test_verify() -> None:
    items = [
        VerifyItem(prompt="2+3:", text="5"),
        VerifyItem(text="3+2:5"),
        VerifyItem(prompt="2+3:", text="6"),
        VerifyItem(prompt="2+3:", text="five"),
        VerifyItem(prompt="2*3:", text="6"),
        VerifyItem(prompt="12345678901+1:", text="2"),
        VerifyItem(),
    ]
    with testing.connect(PLUGIN) as conn:
        got = conn.verify(conn.call("verifier", "starter"), items)
    reasons = ["", "", "wrong_answer", "no_number", "no_question", "no_question", "no_question"]
    assert [j.reason for j in got] == reasons
    assert [j.answer_ok for j in got] == [not r for r in reasons]
    assert got[0].key == got[1].key
    assert (got[1].question, got[1].answer) == ("3+2:", "5")


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("verifier", "starter")
        assert len(conn.validate("verifier", "starter", {"max_digits": 19})) == 1
