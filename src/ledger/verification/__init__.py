"""The whole database against its log: what `verify`, `export` and `proof` do with a book's rows.

Everything is recomputed here from the rows of one snapshot; nothing that the database says of itself is taken
on trust but what it is asked for. What is read in bulk is compared in bulk (`chunks`, `rows`); where anything
differs, the same rows are read again one by one (`row_diagnosis`) to say in words which is the first bad one.

- `findings`: what is raised, naming the first bad position or row
- `trust_anchors`: what is known outside the database: keys, epochs, heads that were kept
- `chunks`, `rows`: the log in position order with its nodes, read ahead, in bounded memory
- `row_diagnosis`: single rows, those not sealed yet too, and what is wrong with one
- `heads`, `scan`: the log's epochs and signed heads, and those that a pass must meet
- `progress`: how far a pass has come, kept so that it can be taken up again
- `database`: the pass itself
- `exports`: what a bundle, a contract's proof or a proof between two heads is made of
"""
