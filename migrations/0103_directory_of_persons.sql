-- Whoever is found by name has contracts and claims: the registers are asked by person.

create index contracts_policyholder on projections.contracts (book, generation, policyholder);
create index claims_victim on projections.claims (book, generation, victim);
