// Command go_verifier checks a bundle with the Go team's own transparency log packages
// (golang.org/x/mod/sumdb/note and tlog): every signed head, every entry, inclusion and consistency.
// It shares no code with the ledger.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// tileFiles reads tiles from the bundle's folder.
type tileFiles struct{ dir string }

func (t tileFiles) Height() int                          { return tileHeight }
func (t tileFiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (t tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go writes tile/8/<L>/<N>, C2SP leaves the height out.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		content, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
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
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("not a root: %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

func checkEntries(dir string, tree tlog.Tree, reader tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: tileHeight, L: 0, N: first / 256, W: int(width)}.Path()
		content, err := os.ReadFile(filepath.Join(dir, strings.Replace(path, "tile/8/0/", "tile/entries/", 1)))
		if err != nil {
			return err
		}
		var indexes []int64
		for position := first; position < first+width; position++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, position))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for offset := int64(0); offset < width; offset++ {
			if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
				return fmt.Errorf("entry %d is cut", first+offset)
			}
			end := 2 + int(binary.BigEndian.Uint16(content))
			if tlog.RecordHash(content[2:end]) != hashes[offset] {
				return fmt.Errorf("entry %d is not in the tree", first+offset)
			}
			content = content[end:]
		}
		if len(content) != 0 {
			return fmt.Errorf("something follows entry %d", first+width-1)
		}
	}
	return nil
}

func checkHistory(dir string, key note.Verifier, tree tlog.Tree, reader tlog.HashReader) (int, error) {
	history, err := os.ReadFile(filepath.Join(dir, "checkpoints"))
	if err != nil {
		return 0, err
	}
	parts := strings.Split(strings.TrimSuffix(string(history), "\n"), "\n\n")
	for at := 0; at+1 < len(parts); at += 2 {
		old, err := openHead(parts[at]+"\n\n"+parts[at+1]+"\n", key)
		if err != nil {
			return 0, err
		}
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return 0, fmt.Errorf("head of size %d: %w", old.N, err)
		}
	}
	return len(parts) / 2, nil
}

func checkInclusion(tree tlog.Tree, reader tlog.HashReader) error {
	for _, position := range []int64{0, tree.N / 3, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, position, reader)
		if err != nil {
			return err
		}
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, position)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, hashes[0]); err != nil {
			return err
		}
	}
	return nil
}

func verify(dir, vkey string) error {
	key, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openHead(string(signed), key)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tileFiles{dir})
	if err := checkEntries(dir, tree, reader); err != nil {
		return err
	}
	if err := checkInclusion(tree, reader); err != nil {
		return err
	}
	heads, err := checkHistory(dir, key, tree, reader)
	if err != nil {
		return err
	}
	fmt.Printf("verified %d entries and %d heads\n", tree.N, heads)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_verifier DIR VERIFIER_KEY")
		os.Exit(2)
	}
	if err := verify(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
