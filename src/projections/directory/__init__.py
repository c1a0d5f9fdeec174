"""The directory of persons: who is called how, as ciphertext, found by keyed hashes of the words of a name.

It lies in the vault, beside the persons' keys. Erasing a person blanks it; nothing in it can be read, or
guessed, without a master key. It has no history by position: of who is erased nothing may stay.
"""
