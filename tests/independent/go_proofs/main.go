// Command go_proofs checks the proofs that the ledger gives one by one, with the Go team's own packages
// (golang.org/x/mod/sumdb/note and tlog): a contract's file, and that one head extends another.
// It shares no code with the ledger.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type contractFile struct {
	Format   string
	Contract string
	Streams  []struct {
		Stream string
		Events []struct{ Leaf, Payload string }
		Proof  string
	}
}

func openHead(signed string, key note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(signed), note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("not a head of %s: %q", key.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// parts gives a proof's lines, without its first ones, and the signed head below them.
func parts(file string, first ...string) ([]string, string, error) {
	proof, head, found := strings.Cut(file, "\n\n")
	lines := strings.Split(proof, "\n")
	if !found || len(lines) < len(first) {
		return nil, "", fmt.Errorf("not a proof: %q", proof)
	}
	for at, word := range first {
		if !strings.HasPrefix(lines[at], word) {
			return nil, "", fmt.Errorf("line %d is not %q", at+1, word)
		}
	}
	return lines, head, nil
}

func hashes(lines []string) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, 0, len(lines))
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, fmt.Errorf("not a hash: %q", line)
		}
		read = append(read, tlog.Hash(*(*[tlog.HashSize]byte)(raw)))
	}
	return read, nil
}

func number(line, word string) (int64, error) {
	return strconv.ParseInt(strings.TrimPrefix(line, word), 10, 64)
}

func checkContract(content []byte, key note.Verifier) (string, error) {
	var file contractFile
	if err := json.Unmarshal(content, &file); err != nil {
		return "", err
	}
	var size int64
	for _, stream := range file.Streams {
		lines, signed, err := parts(stream.Proof, "c2sp.org/tlog-proof@v1", "index ")
		if err != nil {
			return "", err
		}
		tree, err := openHead(signed, key)
		if err != nil {
			return "", err
		}
		index, err := number(lines[1], "index ")
		if err != nil {
			return "", err
		}
		path, err := hashes(lines[2:])
		if err != nil {
			return "", err
		}
		newest := tlog.RecordHash([]byte(stream.Events[len(stream.Events)-1].Leaf))
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, newest); err != nil {
			return "", fmt.Errorf("%s: %w", stream.Stream, err)
		}
		size = tree.N
	}
	return fmt.Sprintf("%d streams of %s in a log of %d", len(file.Streams), file.Contract, size), nil
}

func checkExtends(content, old []byte, key note.Verifier) (string, error) {
	lines, signed, err := parts(string(content), "old ")
	if err != nil {
		return "", err
	}
	tree, err := openHead(signed, key)
	if err != nil {
		return "", err
	}
	before, err := openHead(string(old), key)
	if err != nil {
		return "", err
	}
	from, err := number(lines[0], "old ")
	if err != nil || from != before.N {
		return "", fmt.Errorf("the proof starts from %d, the head has %d", from, before.N)
	}
	path, err := hashes(lines[1:])
	if err != nil {
		return "", err
	}
	if err := tlog.CheckTree(path, tree.N, tree.Hash, before.N, before.Hash); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d extends %d", tree.N, before.N), nil
}

func run(arguments []string) (string, error) {
	key, err := note.NewVerifier(arguments[0])
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(arguments[1])
	if err != nil {
		return "", err
	}
	if len(arguments) == 2 {
		return checkContract(content, key)
	}
	old, err := os.ReadFile(arguments[2])
	if err != nil {
		return "", err
	}
	return checkExtends(content, old, key)
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go_proofs VERIFIER_KEY CONTRACT_FILE | VERIFIER_KEY PROOF OLD_HEAD")
		os.Exit(2)
	}
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("verified", said)
}
