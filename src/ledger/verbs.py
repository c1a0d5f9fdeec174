"""The friendly verbs: one a domain command, in words that people type. Data only."""

from dataclasses import dataclass
from typing import Literal, get_args

from ledger.domain.codes import (
    GUARANTEES,
    Assistance,
    Cause,
    ClaimChannel,
    ExclusionCode,
    Language,
    NoticeChannel,
    Relation,
)

Kind = Literal["text", "day", "moment", "amount", "truth", "list", "choice"]


@dataclass(frozen=True, slots=True)
class Field:
    """One option of a verb and the command's field that it fills."""

    option: str
    """Name on the command line, without dashes."""
    path: str
    """Field of the command, `victim.person` for one inside another."""
    help: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a group: what it sends and how it is explained."""

    group: Literal["contract", "claim", "complaint"]
    name: str
    command: str
    help: str
    example: str
    fields: tuple[Field, ...] = ()


CHANNELS: tuple[str, ...] = get_args(NoticeChannel)
CLAIM_CHANNELS: tuple[str, ...] = get_args(ClaimChannel)
CAUSES: tuple[str, ...] = get_args(Cause)
RELATIONS: tuple[str, ...] = get_args(Relation)
ASSISTANCE: tuple[str, ...] = get_args(Assistance)
LANGUAGES: tuple[str, ...] = get_args(Language)
EXCLUSIONS: tuple[str, ...] = get_args(ExclusionCode)

REASON = Field("reason", "reason", "Why.", required=True)
PROVIDER = Field("provider", "provider", "Who does it.", required=True)
REFERENCE = Field("payment-reference", "payment_reference", "Reference of the payment.", required=True)
ON = Field("on", "on", "Date on which it happened.", "day", required=True)
RECEIVED_ON = Field("received-on", "received_on", "Date of receipt.", "day", required=True)

VERBS = (
    Verb(
        "contract",
        "start",
        "StartContract",
        "Record a contract with its policyholder.",
        "coverledger contract start CC-1 --starts-on 2026-01-01 --person P-1 --name 'Ada Peeters'",
        (
            Field("product", "product", "Product.", default="cyber-care"),
            Field("terms", "terms", "Version of the terms; the product's newest unless said otherwise."),
            Field("starts-on", "starts_on", "First day of cover.", "day", required=True),
            Field("concluded-on", "concluded_on", "Date of conclusion.", "day"),
            Field("distance-sale", "distance_sale", "Whether it was sold at a distance.", "truth"),
            Field("language", "language", "Language of documents and letters.", "choice", choices=LANGUAGES),
            Field("person", "policyholder.person", "Number of the policyholder.", required=True),
            Field("name", "policyholder.name", "Name of the policyholder.", required=True),
            Field("email", "policyholder.email", "Address for mail."),
            Field("address", "policyholder.address", "Postal address."),
        ),
    ),
    Verb(
        "contract",
        "notice",
        "GiveNotice",
        "Record the policyholder's notice.",
        "coverledger contract notice CC-1 --received-on 2026-08-01 --channel web_form",
        (RECEIVED_ON, Field("channel", "channel", "How it came.", "choice", required=True, choices=CHANNELS)),
    ),
    Verb(
        "contract",
        "revoke-notice",
        "RevokeNotice",
        "Take a notice back that has not ended the contract yet.",
        "coverledger contract revoke-notice CC-1 --reason 'policyholder stays'",
        (REASON,),
    ),
    Verb(
        "contract",
        "termination-letter",
        "SendTerminationNotice",
        "Record the insurer's registered letter of termination.",
        "coverledger contract termination-letter CC-1 --posted-on 2026-09-01 --tracking RR123456789BE",
        (
            Field("posted-on", "posted_on", "Date of posting.", "day", required=True),
            Field("tracking", "tracking", "Number of the registered letter.", required=True),
        ),
    ),
    Verb(
        "contract",
        "letter-returned",
        "RecordLetterReturned",
        "Record that the registered letter came back.",
        "coverledger contract letter-returned CC-1 --returned-on 2026-09-20",
        (Field("returned-on", "returned_on", "Date of return.", "day", required=True),),
    ),
    Verb(
        "contract",
        "withdraw",
        "WithdrawFromContract",
        "Record the withdrawal from a distance sale.",
        "coverledger contract withdraw CC-1 --received-on 2026-01-10",
        (RECEIVED_ON,),
    ),
    Verb(
        "contract",
        "annul",
        "AnnulContract",
        "Annul a contract recorded by mistake.",
        "coverledger contract annul CC-1 --reason 'entered twice'",
        (REASON,),
    ),
    Verb(
        "contract",
        "correct-person",
        "CorrectPerson",
        "Correct the policyholder's name or addresses.",
        "coverledger contract correct-person CC-1 --person P-1 --address 'Nieuwstraat 1, 1000 Brussel'",
        (
            Field("person", "person", "Number of the person.", required=True),
            Field("name", "name", "Right name."),
            Field("email", "email", "Right address for mail."),
            Field("address", "address", "Right postal address."),
        ),
    ),
    Verb(
        "claim",
        "open",
        "OpenClaim",
        "Open a claim on a contract.",
        "coverledger claim open K-1 --contract CC-1 --guarantee payment --cause fraud "
        "--occurred-at 2026-02-07 --channel phone --victim P-1 --victim-name 'Ada Peeters' "
        "--relation policyholder --same-roof",
        (
            Field("contract", "contract", "Contract that it is on.", required=True),
            Field("guarantee", "guarantee", "Guarantee.", "choice", required=True, choices=GUARANTEES),
            Field("cause", "cause", "Cause.", "choice", required=True, choices=CAUSES),
            Field("occurred-at", "occurred_at", "First act: an instant or a date.", "moment", required=True),
            Field("reported-at", "reported_at", "Report: an instant or a date.", "moment"),
            Field(
                "channel", "channel", "How it was reported.", "choice", required=True, choices=CLAIM_CHANNELS
            ),
            Field("victim", "victim.person", "Number of the victim.", required=True),
            Field("victim-name", "victim.name", "Name of the victim.", required=True),
            Field(
                "relation",
                "victim.relation",
                "To the policyholder.",
                "choice",
                required=True,
                choices=RELATIONS,
            ),
            Field(
                "same-roof", "victim.same_roof", "Whether they live under one roof.", "truth", required=True
            ),
            Field("narrative", "narrative", "What happened."),
        ),
    ),
    Verb(
        "claim",
        "identify",
        "IdentifyClaimant",
        "Record that the caller has identified themselves.",
        "coverledger claim identify K-1 --method callback",
        (Field("method", "method", "How.", required=True),),
    ),
    Verb(
        "claim",
        "advise",
        "GiveAdvice",
        "Record advice given.",
        "coverledger claim advise K-1 --topic change_passwords --topic block_card",
        (Field("topic", "topics", "On what; may be given several times.", "list", required=True),),
    ),
    Verb(
        "claim",
        "assist",
        "ProvideAssistance",
        "Record assistance given.",
        "coverledger claim assist K-1 --kind legal --provider 'first line desk'",
        (Field("kind", "kind", "Kind of assistance.", "choice", required=True, choices=ASSISTANCE), PROVIDER),
    ),
    Verb(
        "claim",
        "appoint-expert",
        "AppointExpert",
        "Appoint a data recovery expert, reserving the limit.",
        "coverledger claim appoint-expert K-1 --provider 'Data Lab'",
        (PROVIDER,),
    ),
    Verb(
        "claim",
        "call-off-expert",
        "CallOffExpert",
        "Call the expert off.",
        "coverledger claim call-off-expert K-1 --provider 'Data Lab'",
        (PROVIDER,),
    ),
    Verb(
        "claim",
        "further-incident",
        "ReportFurtherIncident",
        "Record a further act of the same series.",
        "coverledger claim further-incident K-1 --occurred-at 2026-02-09",
        (
            Field("occurred-at", "occurred_at", "An instant or a date.", "moment", required=True),
            Field("narrative", "narrative", "What happened."),
        ),
    ),
    Verb(
        "claim",
        "request-documents",
        "RequestDocuments",
        "Record which documents were asked for.",
        "coverledger claim request-documents K-1 --document statement --document police_report",
        (Field("document", "documents", "Which; may be given several times.", "list", required=True),),
    ),
    Verb(
        "claim",
        "receive-document",
        "ReceiveDocument",
        "Record a document that came in.",
        "coverledger claim receive-document K-1 --document statement --sha256 e3b0c442…",
        (
            Field("document", "document", "Which.", required=True),
            Field("sha256", "sha256", "SHA-256 of the file, in hex.", required=True),
        ),
    ),
    Verb(
        "claim",
        "complete",
        "CompleteSubmission",
        "Record that the submission is complete: the days to refund run from here.",
        "coverledger claim complete K-1 --completed-at 2026-02-20",
        (Field("completed-at", "completed_at", "An instant or a date.", "moment", required=True),),
    ),
    Verb(
        "claim",
        "accept",
        "AcceptClaim",
        "Accept a claim, up to what is left of the limit.",
        "coverledger claim accept K-1 --loss 3000.00",
        (
            Field("loss", "loss_cents", "Loss in euro.", "amount", required=True),
            Field("already-compensated", "already_compensated_cents", "What others paid, in euro.", "amount"),
        ),
    ),
    Verb(
        "claim",
        "reject",
        "RejectClaim",
        "Reject a claim.",
        "coverledger claim reject K-1 --code OUTSIDE_COVER",
        (
            Field("code", "code", "Exclusion.", "choice", required=True, choices=EXCLUSIONS),
            Field("reason", "reason", "Why, in words for the victim."),
        ),
    ),
    Verb(
        "claim",
        "withdraw",
        "WithdrawClaim",
        "Record that the claim was withdrawn.",
        "coverledger claim withdraw K-1",
    ),
    Verb(
        "claim",
        "refund",
        "IssueRefund",
        "Record a refund; without --amount all that is owed.",
        "coverledger claim refund K-1 --payment-reference PAY-1",
        (
            Field("amount", "amount_cents", "Amount in euro.", "amount"),
            REFERENCE,
            Field("iban", "iban", "Account that it went to."),
        ),
    ),
    Verb(
        "claim",
        "refund-failed",
        "RecordRefundFailure",
        "Record that a refund did not arrive.",
        "coverledger claim refund-failed K-1 --payment-reference PAY-1",
        (REFERENCE,),
    ),
    Verb(
        "claim",
        "reverse-refund",
        "ReverseRefund",
        "Record that a refund was taken back.",
        "coverledger claim reverse-refund K-1 --payment-reference PAY-1",
        (REFERENCE,),
    ),
    Verb(
        "claim",
        "recovery",
        "RecordRecovery",
        "Record money recovered from a third party.",
        "coverledger claim recovery K-1 --amount 120.00 --payer 'Bank X'",
        (
            Field("amount", "amount_cents", "Amount in euro.", "amount", required=True),
            Field("payer", "payer", "Who paid.", required=True),
        ),
    ),
    Verb(
        "claim",
        "correct-incident",
        "CorrectIncident",
        "Correct the date of the incident; an acceptance is computed afresh.",
        "coverledger claim correct-incident K-1 --occurred-at 2026-01-30",
        (Field("occurred-at", "occurred_at", "An instant or a date.", "moment", required=True),),
    ),
    Verb(
        "claim",
        "move",
        "MoveClaim",
        "Move a claim to the contract that it belongs to.",
        "coverledger claim move K-1 --contract CC-2",
        (Field("contract", "contract", "The other contract.", required=True),),
    ),
    Verb(
        "claim",
        "close",
        "CloseClaim",
        "Close a decided claim with nothing owed.",
        "coverledger claim close K-1 --reason settled",
        (REASON,),
    ),
    Verb(
        "claim",
        "reopen",
        "ReopenClaim",
        "Reopen a decided claim.",
        "coverledger claim reopen K-1 --reason 'further loss reported'",
        (REASON,),
    ),
    Verb(
        "complaint",
        "lodge",
        "LodgeComplaint",
        "Record a complaint.",
        "coverledger complaint lodge X-1 --contract CC-1 --received-on 2026-02-01 --subject 'late refund'",
        (
            Field("contract", "contract", "Contract that it is about.", required=True),
            Field("claim", "claim", "Claim that it is about."),
            RECEIVED_ON,
            Field("subject", "subject", "What it is about.", required=True),
        ),
    ),
    Verb(
        "complaint",
        "acknowledge",
        "AcknowledgeComplaint",
        "Record the acknowledgement.",
        "coverledger complaint acknowledge X-1 --on 2026-02-03",
        (ON,),
    ),
    Verb(
        "complaint",
        "answer",
        "AnswerComplaint",
        "Record the answer.",
        "coverledger complaint answer X-1 --on 2026-02-20",
        (ON,),
    ),
    Verb(
        "complaint",
        "escalate",
        "EscalateToOmbudsman",
        "Record that it went to the Ombudsman.",
        "coverledger complaint escalate X-1 --on 2026-03-01",
        (ON,),
    ),
    Verb(
        "complaint",
        "opinion",
        "RecordOmbudsmanOpinion",
        "Record the Ombudsman's opinion.",
        "coverledger complaint opinion X-1 --on 2026-05-01",
        (ON,),
    ),
    Verb(
        "complaint",
        "close",
        "CloseComplaint",
        "Close a complaint.",
        "coverledger complaint close X-1 --on 2026-05-10",
        (ON,),
    ),
)
