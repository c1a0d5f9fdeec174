-- Other tools read plain SQL views: what stands now, and every row's history, each column with its comment.

create schema reporting;
comment on schema reporting is
    'Views for reports and BI tools, read-only. Amounts are cents of euro, dates are Brussels dates; persons stand '
    'as ids. Every view has a twin NAME_history with all versions of its rows by position of the feed.';

-- A row stands from from_position until, and not including, to_position (null: it stands now). As of position P
-- a history's rows are those with from_position <= P and (to_position is null or to_position > P).
do $views$
declare
    view record;
    columns text;
begin
    for view in
        select * from (values
            ('limits', 'what is consumed and left of each guarantee in each insurance year begun'),
            ('due', 'what is due when, on contracts, claims and complaints; met, missed and cancelled too'),
            ('contracts', 'the register of contracts'),
            ('claims', 'the register of claims'),
            ('complaints', 'the register of complaints'),
            ('refunds', 'refunds against the 15 days: a row for each time that the days began to run'),
            ('payments', 'every movement of money on claims'),
            ('reserves', 'what each claim may still cost, has cost, and what came back'),
            ('timeline', 'the steps of each claim, from the notice to the last payment'),
            ('bordereau', 'each claim at the end of each month in which something took effect on it')
        ) as known (name, said)
    loop
        select string_agg(format('t.%I', a.attname), ', ' order by a.attnum) into columns
        from pg_attribute a
        where a.attrelid = ('projections.' || view.name)::regclass and a.attnum > 0 and not a.attisdropped
            and a.attname not in ('book', 'generation', 'from_position', 'to_position', 'guarantee_order',
                                  'subject_rank', 'subject_position', 'contract_position', 'opened_position');
        if view.name = 'limits' then
            columns := columns
                || ', t.amount_limit_cents - t.amount_consumed_cents - t.amount_reserved_cents as amount_remaining_cents'
                || ', t.count_limit - t.count_consumed - t.count_reserved as count_remaining';
        end if;
        execute format(
            'create view reporting.%I as select t.book, %s, t.from_position, t.to_position '
            'from projections.%I t join projections.generations g on g.book = t.book and g.view = %L '
            'and g.generation = t.generation and g.state = ''live''',
            view.name || '_history', columns, view.name, view.name);
        execute format('comment on view reporting.%I is %L', view.name || '_history',
                       'Every version of every row of reporting.' || view.name || ': ' || view.said || '.');
        execute format(
            'create view reporting.%I as select * from reporting.%I where to_position is null',
            view.name, view.name || '_history');
        execute format('comment on view reporting.%I is %L', view.name,
                       upper(left(view.said, 1)) || substr(view.said, 2) || ', as it stands now.');
    end loop;
end
$views$;

create view reporting.freshness as
select f.book, f.name as view, f.position, e.feed_position, e.feed_position - f.position as lag, f.moved_at
from ledger.followers f
join projections.generations g on g.book = f.book and g.view = f.name and g.state = 'live'
cross join lateral (
    select coalesce(max(position), -1) as feed_position from ledger.log l where l.book = f.book
) as e;
comment on view reporting.freshness is 'How far each view has come in the feed, and how many positions it lags behind.';

do $comments$
declare
    named record;
    silent text;
begin
    for named in
        select c.table_name, c.column_name, said.words
        from information_schema.columns c
        join (values
            ('book', 'The book of business.'),
            ('contract', 'Number of the contract.'),
            ('claim', 'Number of the claim.'),
            ('complaint', 'Number of the complaint.'),
            ('guarantee', 'identity, payment, data or reputation.'),
            ('insurance_year', 'Insurance year of the contract, from 1; of a claim, that of its incident.'),
            ('from_on', 'First day of the insurance year.'),
            ('to_on', 'First day of the next insurance year, even where cover ends earlier.'),
            ('amount_limit_cents', 'Limit of the amount in the insurance year, cents; null: none.'),
            ('amount_consumed_cents', 'Consumed by accepted claims, cents.'),
            ('amount_reserved_cents', 'Reserved while an expert stands, cents.'),
            ('amount_remaining_cents', 'Limit less consumed and reserved, cents; null: no limit.'),
            ('count_limit', 'Limit of the number of claims in the insurance year; null: none.'),
            ('count_consumed', 'Claims that count.'),
            ('count_reserved', 'Claims counted in advance while an expert stands.'),
            ('count_remaining', 'Limit less consumed and reserved; null: no limit.'),
            ('subject', 'contract:C, claim:K or complaint:X.'),
            ('opening', 'Which of the subject''s rows, in order of opening, from 0.'),
            ('kind', 'What it is: of what is due, or of the movement of money.'),
            ('rule', 'The rule that the date follows from.'),
            ('seq', 'Which of the subject''s rows of the kind, from 1.'),
            ('raw_due_on', 'By the rule alone, before it rolls to a working day.'),
            ('due_on', 'The last day on which it is in time.'),
            ('alert_on', 'The working day on or before the raw date.'),
            ('status', 'How it stands.'),
            ('met_on', 'When it was met, late too; null: not yet.'),
            ('product', 'Name of the product.'),
            ('terms', 'Version of the product terms.'),
            ('starts_on', 'First day of cover.'),
            ('ends_on', 'First day without cover, as known now.'),
            ('notice_gate_on', 'From this day on notice counts as given when it is received.'),
            ('term', 'Number of the last term begun.'),
            ('policyholder', 'Id of the person; never a name.'),
            ('victim', 'Id of the person; never a name.'),
            ('complainant', 'Id of the person; never a name.'),
            ('language', 'Language of the contract.'),
            ('incident_on', 'Date of the (first) incident.'),
            ('loss_cents', 'Loss, cents.'),
            ('approved_cents', 'Approved, cents.'),
            ('excess_cents', 'Above what was left of the limit, cents.'),
            ('refunded_cents', 'Paid, less what failed or was taken back, cents.'),
            ('recovered_cents', 'Paid back by third parties, cents; in a bordereau: in the month.'),
            ('rejection_code', 'Why it was rejected.'),
            ('received_on', 'When the complaint came in.'),
            ('number', 'Which of the claim''s rows, from 1.'),
            ('submitted_on', 'From when the days of the refund count.'),
            ('settled_on', 'When all that was approved then had been paid; null: not yet.'),
            ('days_allowed', 'Calendar days from submitted_on to raw_due_on.'),
            ('days_taken', 'Calendar days from submitted_on to settled_on; null: not settled.'),
            ('in_time', 'Whether it was settled by due_on; null: still open, or nothing was to be paid.'),
            ('owed_cents', 'Approved and not paid yet, cents.'),
            ('moved_on', 'Date of the movement.'),
            ('paid_cents', 'Paid out, cents; taken back: negative. In a bordereau: in the month.'),
            ('received_cents', 'Received from a third party, cents.'),
            ('payment_reference', 'Reference of the payment.'),
            ('payer', 'Who paid the insurer back, as a code.'),
            ('counted', 'How many claims it counts as: 1 or 0.'),
            ('reserved_cents', 'Set aside while an expert stands, cents.'),
            ('net_cents', 'Refunded less recovered, cents.'),
            ('incurred_cents', 'Approved and reserved, less recovered, cents.'),
            ('version', 'Version of the claim''s stream.'),
            ('step', 'Which step of the claim''s way it belongs to.'),
            ('event', 'Name of the event.'),
            ('effective_on', 'The date on which it counts.'),
            ('at', 'When it was said to have happened.'),
            ('actor', 'Opaque staff id; never a name.'),
            ('days_since_notice', 'Calendar days since the claim was reported.'),
            ('amount_cents', 'The amount of the step, cents.'),
            ('said', 'What the event says in codes.'),
            ('month', 'First day of the month.'),
            ('paid_before_cents', 'Paid before the month, cents.'),
            ('recovered_before_cents', 'Paid back by third parties before the month, cents.'),
            ('outstanding_cents', 'Approved and not paid, and what is reserved, cents.'),
            ('from_position', 'Position of the event that made the row so: ledger.history has it.'),
            ('to_position', 'Position of the event that ended this version of the row; null: it stands now.'),
            ('view', 'Name of the view.'),
            ('position', 'The last position that it has folded.'),
            ('feed_position', 'The last position of the feed.'),
            ('lag', 'Positions that it has not folded yet.'),
            ('moved_at', 'When it last moved.')
        ) as said (column_name, words) on said.column_name = c.column_name
        where c.table_schema = 'reporting'
    loop
        execute format('comment on column reporting.%I.%I is %L', named.table_name, named.column_name, named.words);
    end loop;
    select string_agg(c.relname || '.' || a.attname, ', ') into silent
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relnamespace = 'reporting'::regnamespace and col_description(c.oid, a.attnum) is null;
    perform ledger.demand(silent is null, 'raise_exception', 'columns without a comment: ' || silent);
end
$comments$;

do $grants$
begin
    execute format('grant usage on schema reporting to %I, %I, %I',
                   ledger.role('reporting'), ledger.role('auditor'), ledger.role('app'));
    execute format('grant select on all tables in schema reporting to %I, %I, %I',
                   ledger.role('reporting'), ledger.role('auditor'), ledger.role('app'));
end
$grants$;
