"""CSV files become the same lines that JSON Lines would have held."""

import io

import pytest

from ledger.imports.csv_rows import columns_of, read_csv
from ledger.imports.lines import Line, LineFault

AT = "2026-02-03T10:00:00+01:00"
OPEN_CLAIM = (
    "command_id,command,at,claim,contract,guarantee,cause,occurred_at,channel,"
    "victim.person,victim.name,victim.relation,victim.same_roof,narrative\n"
)


def read(content: str, file: str = "rows.csv", command: str | None = None) -> list[Line | LineFault]:
    return list(read_csv(file, io.BytesIO(content.encode()), command))


def only_line(content: str, file: str = "rows.csv", command: str | None = None) -> Line:
    (line,) = read(content, file, command)
    assert isinstance(line, Line), line
    return line


def only_fault(content: str, file: str = "rows.csv", command: str | None = None) -> LineFault:
    (fault,) = read(content, file, command)
    assert isinstance(fault, LineFault), fault
    return fault


def test_nested_fields_and_truths_are_read_from_their_columns() -> None:
    row = f'a,OpenClaim,{AT},K-1,C-1,payment,fraud,2026-02-01,phone,P-1,"Peeters, Ada",family,no,\n'
    line = only_line(OPEN_CLAIM + row)

    assert line.fields == {
        "claim": "K-1",
        "contract": "C-1",
        "guarantee": "payment",
        "cause": "fraud",
        "occurred_at": "2026-02-01",
        "channel": "phone",
        "victim": {"person": "P-1", "name": "Peeters, Ada", "relation": "family", "same_roof": False},
    }
    assert (line.line, line.command, line.command_id) == (2, "OpenClaim", "a")


def test_lists_are_parted_by_bars() -> None:
    line = only_line(f"command_id,command,at,claim,topics\na,GiveAdvice,{AT},K,block_card|change_passwords\n")

    assert line.fields["topics"] == ["block_card", "change_passwords"]


@pytest.mark.parametrize("written", ["5000", "5000.00", '"5.000,00 EUR"', '"5,000.00 EUR"'])
def test_amounts_are_read_in_every_spelling_that_is_not_ambiguous(written: str) -> None:
    line = only_line(f"command_id,at,claim,loss\na,{AT},K,{written}\n", command="AcceptClaim")

    assert line.fields["loss_cents"] == 500_000


@pytest.mark.parametrize("written", ["5.000", '"5,000"', "-5", "1e3", "5000.5"])
def test_an_ambiguous_or_wrong_amount_is_refused_with_its_column(written: str) -> None:
    fault = only_fault(f"command_id,at,claim,loss\na,{AT},K,{written}\n", command="AcceptClaim")

    assert fault.line == 2
    assert fault.message.startswith("loss: ")


@pytest.mark.parametrize("written", ["45000", "045000"])
def test_fault_34_a_column_of_cents_holds_cents(written: str) -> None:
    line = only_line(f"command_id,at,claim,loss_cents\na,{AT},K,{written}\n", command="AcceptClaim")

    assert line.fields["loss_cents"] == 45_000


@pytest.mark.parametrize(
    "written", ["450.00", "450,00", "45 000", "€ 450", "-1", "Ada Peeters", "4.5e4", "٤٥"]
)
def test_fault_34_nothing_but_cents_is_taken_for_cents(written: str) -> None:
    fault = only_fault(f'command_id,at,claim,loss_cents\na,{AT},K,"{written}"\n', command="AcceptClaim")

    assert fault.message == (
        "loss_cents: is no whole number of cents; name the column without _cents where it is in euro"
    )


@pytest.mark.parametrize("columns", ["loss,loss_cents", "loss_cents,loss"])
def test_fault_34_an_amount_is_given_in_one_unit(columns: str) -> None:
    fault = only_fault(f"command_id,at,claim,{columns}\na,{AT},K,450,450\n", command="AcceptClaim")

    assert "is given in euro and in cents; give one of them" in fault.message


def test_semicolons_and_a_byte_order_mark_of_a_belgian_spreadsheet_are_read() -> None:
    content = f"\ufeffcommand_id;at;claim;loss\r\na;{AT};K;5.000,00\r\n"
    line = only_line(content, command="AcceptClaim")

    assert line.fields == {"claim": "K", "loss_cents": 500_000}


@pytest.mark.parametrize("file", ["WithdrawClaim.csv", "withdraw_claim-2026.csv", "books/withdraw claim.CSV"])
def test_the_files_name_tells_the_command_where_nothing_else_does(file: str) -> None:
    assert only_line(f"command_id,at,claim\na,{AT},K\n", file).command == "WithdrawClaim"


def test_a_row_may_span_lines_within_quotes_and_keeps_the_number_of_its_first() -> None:
    header = OPEN_CLAIM
    rows = (
        f'a,OpenClaim,{AT},K-1,C-1,payment,fraud,2026-02-01,phone,P,Ada,family,yes,"one\ntwo"\n'
        f"b,OpenClaim,{AT},K-2,C-1,payment,fraud,2026-02-01,phone,P,Ada,family,yes,three\n"
    )
    first, second = read(header + rows)

    assert isinstance(first, Line)
    assert (first.line, first.fields["narrative"]) == (2, "one\ntwo")
    assert second.line == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("claim,at\nK,x\n", "lacks command_id"),
        ("command_id,at,at\na,x,x\n", "twice"),
        (f"command_id,at,claim\na,{AT},K,more\n", "4 cells"),
        (f"command_id,at,claim\na,{AT},K\n", "names no command"),
        (f"command_id,command,at,claim\na,Nothing,{AT},K\n", "does not exist"),
        (f"command_id,command,at,claim,lost\na,AcceptClaim,{AT},K,5\n", "unknown column 'lost'"),
        ("command_id,command,at,claim\na,WithdrawClaim,2026-01-01T10:00:00,K\n", "has no offset"),
        (f"command_id,command,at,claim\n,WithdrawClaim,{AT},K\n", "command_id is missing"),
        (f'command_id,command,at,claim\na,WithdrawClaim,{AT},"K\n', "no CSV row"),
        (f"command_id,command,at,claim\na,WithdrawClaim,{AT},\x00\n", "NUL"),
        (
            f"command_id,command,at,contract,product,distance_sale\na,StartContract,{AT},C,p,maybe\n",
            "neither true nor false",
        ),
    ],
)
def test_a_malformed_row_is_named_with_what_is_wrong(content: str, said: str) -> None:
    assert said in only_fault(content).message


def test_a_file_holds_one_kind_of_command() -> None:
    first, second = read(f"command_id,command,at,claim\na,WithdrawClaim,{AT},K\nb,IdentifyClaimant,{AT},K\n")

    assert isinstance(first, Line)
    assert isinstance(second, LineFault)
    assert "one kind of command" in second.message


def test_an_unclosed_quote_before_a_long_rest_is_named_and_reading_ends() -> None:
    rest = f"b,WithdrawClaim,{AT},K\n" * 20_000
    found = read(f'command_id,command,at,claim\na,WithdrawClaim,{AT},"K\n{rest}')

    assert isinstance(found[0], LineFault)
    assert "no CSV row" in found[0].message


def test_the_columns_of_a_command_are_its_fields() -> None:
    assert columns_of("OpenClaim")["victim.same_roof"] == "truth"
    assert columns_of("AcceptClaim") == {
        "claim": "text",
        "loss_cents": "cents",
        "loss": "amount",
        "already_compensated_cents": "cents",
        "already_compensated": "amount",
    }
    assert columns_of("GiveAdvice")["topics"] == "list"
    assert columns_of("StartContract")["starts_on"] == "text"
