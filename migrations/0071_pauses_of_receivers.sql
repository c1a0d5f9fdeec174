-- A receiver that answers 429 or 503 asks for a pause of all that is sent to it: it holds over a restart too.

alter table ledger.subscriptions
    add column waits_until timestamptz;     -- end of the pause that the receiver asked for last; null: of none
