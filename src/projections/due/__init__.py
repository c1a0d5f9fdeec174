"""What is due when: a row for each deadline of each contract, claim and complaint, met and missed too."""
