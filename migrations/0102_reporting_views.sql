-- Back-office reports need their own views: refunds against the 15 days, money, reserves, steps, the monthly bordereau.

create table projections.refunds (
    book text collate "C" not null,
    generation integer not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    number integer not null,
    opened_position bigint not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    submitted_on date not null,
    raw_due_on date not null,
    due_on date not null,
    status text not null,
    approved_cents bigint not null,
    refunded_cents bigint not null,
    owed_cents bigint not null,
    settled_on date,
    days_allowed integer not null,
    days_taken integer,
    in_time boolean,
    primary key (book, generation, claim, number, from_position)
);

create index refunds_contract on projections.refunds (book, generation, contract);

create table projections.payments (
    book text collate "C" not null,
    generation integer not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    number integer not null,
    opened_position bigint not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    kind text not null,
    moved_on date not null,
    paid_cents bigint not null,
    received_cents bigint not null,
    payment_reference text,
    payer text,
    primary key (book, generation, claim, number, from_position)
);

create index payments_contract on projections.payments (book, generation, contract);

create table projections.reserves (
    book text collate "C" not null,
    generation integer not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    opened_position bigint not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    incident_on date not null,
    insurance_year integer,
    status text not null,
    counted integer not null,
    loss_cents bigint not null,
    approved_cents bigint not null,
    excess_cents bigint not null,
    reserved_cents bigint not null,
    refunded_cents bigint not null,
    owed_cents bigint not null,
    recovered_cents bigint not null,
    net_cents bigint not null,
    incurred_cents bigint not null,
    primary key (book, generation, claim, from_position)
);

create index reserves_contract on projections.reserves (book, generation, contract);

create table projections.timeline (
    book text collate "C" not null,
    generation integer not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    version integer not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    step text not null,
    event text not null,
    effective_on date not null,
    at timestamptz not null,
    actor text not null,
    days_since_notice integer not null,
    amount_cents bigint,
    said text,
    primary key (book, generation, claim, version, from_position)
);

create index timeline_contract on projections.timeline (book, generation, contract);

create table projections.bordereau (
    book text collate "C" not null,
    generation integer not null,
    from_position bigint not null,
    to_position bigint,
    claim text collate "C" not null,
    month date not null,                    -- its first day
    opened_position bigint not null,
    contract text collate "C" not null,
    guarantee text collate "C" not null,
    incident_on date not null,
    insurance_year integer,
    status text not null,
    approved_cents bigint not null,
    paid_cents bigint not null,
    paid_before_cents bigint not null,
    recovered_cents bigint not null,
    recovered_before_cents bigint not null,
    outstanding_cents bigint not null,
    primary key (book, generation, claim, month, from_position)
);

create index bordereau_contract on projections.bordereau (book, generation, contract);
