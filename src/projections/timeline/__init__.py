"""The timeline of a claim: each step from the notice to the last payment, in the words of the FAQ."""
