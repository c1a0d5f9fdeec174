// Command go_witness cosigns heads, and opens cosigned ones, as C2SP's tlog-cosignature describes it
// (cosignature/v1), on the Go team's golang.org/x/mod/sumdb/note. It shares no code with the ledger.
//
//	go_witness key NAME SEED               prints the witness's verifier key
//	go_witness cosign NAME SEED TIME       reads a signed head, prints it with one more line
//	go_witness open LOGKEY WITNESSKEY      reads a cosigned head, prints who signed it
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const cosignatureV1 = 0x04

func keyHash(name string, public []byte) uint32 {
	hash := sha256.Sum256(append([]byte(name+"\n\x04"), public...))
	return binary.BigEndian.Uint32(hash[:4])
}

func message(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

type signer struct {
	name string
	key  ed25519.PrivateKey
	time uint64
}

func (s signer) public() []byte  { return s.key.Public().(ed25519.PublicKey) }
func (s signer) Name() string    { return s.name }
func (s signer) KeyHash() uint32 { return keyHash(s.name, s.public()) }
func (s signer) Sign(text []byte) ([]byte, error) {
	return append(binary.BigEndian.AppendUint64(nil, s.time), ed25519.Sign(s.key, message(s.time, text))...), nil
}

type verifier struct {
	name   string
	public []byte
}

func (v verifier) Name() string    { return v.name }
func (v verifier) KeyHash() uint32 { return keyHash(v.name, v.public) }
func (v verifier) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(v.public, message(binary.BigEndian.Uint64(sig), text), sig[8:])
}

func newSigner(name, seed string) (signer, error) {
	raw, err := hex.DecodeString(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return signer{}, fmt.Errorf("not a seed: %q", seed)
	}
	return signer{name: name, key: ed25519.NewKeyFromSeed(raw)}, nil
}

func newVerifier(vkey string) (verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return verifier{}, fmt.Errorf("not a key: %q", vkey)
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != cosignatureV1 {
		return verifier{}, fmt.Errorf("not a cosignature/v1 key: %q", vkey)
	}
	found := verifier{name: parts[0], public: raw[1:]}
	if fmt.Sprintf("%08x", found.KeyHash()) != parts[1] {
		return verifier{}, fmt.Errorf("not the id of this key: %q", vkey)
	}
	return found, nil
}

func cosign(name, seed, time string) error {
	by, err := newSigner(name, seed)
	if err != nil {
		return err
	}
	if by.time, err = strconv.ParseUint(time, 10, 64); err != nil {
		return err
	}
	given, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	at := bytes.LastIndex(given, []byte("\n\n"))
	if at < 0 {
		return fmt.Errorf("not a signed note")
	}
	sig, err := by.Sign(given[:at+1])
	if err != nil {
		return err
	}
	id := binary.BigEndian.AppendUint32(nil, by.KeyHash())
	fmt.Printf("%s— %s %s\n", given, name, base64.StdEncoding.EncodeToString(append(id, sig...)))
	return nil
}

func open(logKey, witnessKey string) error {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	witness, err := newVerifier(witnessKey)
	if err != nil {
		return err
	}
	given, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	opened, err := note.Open(given, note.VerifierList(log, witness))
	if err != nil {
		return err
	}
	for _, sig := range opened.Sigs {
		fmt.Println(sig.Name)
	}
	return nil
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 3 && arguments[0] == "key":
		by, err := newSigner(arguments[1], arguments[2])
		if err != nil {
			return err
		}
		key := append([]byte{cosignatureV1}, by.public()...)
		fmt.Printf("%s+%08x+%s\n", by.name, by.KeyHash(), base64.StdEncoding.EncodeToString(key))
		return nil
	case len(arguments) == 4 && arguments[0] == "cosign":
		return cosign(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 3 && arguments[0] == "open":
		return open(arguments[1], arguments[2])
	}
	return fmt.Errorf("use: key NAME SEED | cosign NAME SEED TIME | open LOGKEY WITNESSKEY")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
