-- The read side needs its tables: the five views with their rows' history by position, and what their folds remember.

-- What a view's fold needs to go on, for each key; never an answer to a question.
create table projections.remembered (
    book text collate "C" not null,
    view text collate "C" not null,
    key text collate "C" not null,
    since_position bigint not null,
    memory text not null,
    primary key (book, view, key)
) with (fillfactor = 70);

-- A row stands from from_position until, and not including, to_position (null: it stands now).

create table projections.limits (
    book text collate "C" not null,
    from_position bigint not null,
    to_position bigint,
    contract text collate "C" not null,
    insurance_year integer not null,
    guarantee text collate "C" not null,
    guarantee_order integer not null,
    contract_position bigint not null,
    from_on date not null,
    to_on date not null,
    amount_limit_cents bigint,
    amount_consumed_cents bigint not null,
    amount_reserved_cents bigint not null,
    count_limit integer,
    count_consumed integer not null,
    count_reserved integer not null,
    primary key (book, contract, insurance_year, guarantee, from_position)
);

create table projections.due (
    book text collate "C" not null,
    from_position bigint not null,
    to_position bigint,
    subject text collate "C" not null,
    opening integer not null,
    subject_rank integer not null,
    subject_position bigint not null,
    contract text collate "C" not null,
    contract_position bigint not null,
    guarantee text collate "C",
    kind text not null,
    rule text not null,
    seq integer not null,
    raw_due_on date not null,
    due_on date not null,
    alert_on date not null,
    status text not null,
    met_on date,
    primary key (book, subject, opening, from_position)
);

create index due_contract on projections.due (book, contract);

create table projections.contracts (
    book text collate "C" not null,
    from_position bigint not null,
    to_position bigint,
    contract text collate "C" not null,
    opened_position bigint not null,
    status text not null,
    product text not null,
    terms text not null,
    starts_on date not null,
    ends_on date not null,
    notice_gate_on date not null,
    term integer not null,
    policyholder text not null,
    language text not null,
    primary key (book, contract, from_position)
);

create table projections.claims (
    book text collate "C" not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    opened_position bigint not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    status text not null,
    incident_on date not null,
    insurance_year integer,
    loss_cents bigint not null,
    approved_cents bigint not null,
    excess_cents bigint not null,
    refunded_cents bigint not null,
    recovered_cents bigint not null,
    rejection_code text,
    victim text not null,
    primary key (book, claim, from_position)
);

create index claims_contract on projections.claims (book, contract);

create table projections.complaints (
    book text collate "C" not null,
    from_position bigint not null,
    to_position bigint,
    complaint text collate "C" not null,
    opened_position bigint not null,
    contract text collate "C" not null,
    claim text collate "C",
    status text not null,
    received_on date not null,
    complainant text not null,
    primary key (book, complaint, from_position)
);

create index complaints_contract on projections.complaints (book, contract);
