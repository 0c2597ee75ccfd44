package ledger

import "encoding/binary"

// input reads values off a payload. Once it ran short it is bad and gives
// zeros.
type input struct {
	rest []byte
	bad  bool
}

func (in *input) take(n int) []byte {
	if in.bad || n > len(in.rest) {
		in.bad, in.rest = true, nil
		return nil
	}
	out := in.rest[:n]
	in.rest = in.rest[n:]
	return out
}

func (in *input) byte() byte {
	if b := in.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (in *input) uvarint() uint64 {
	v, n := binary.Uvarint(in.rest)
	if n <= 0 {
		in.bad, in.rest = true, nil
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

// count reads a number of things that take an octet each at least.
func (in *input) count(most int) int {
	v := in.uvarint()
	if v > uint64(most) || v > uint64(len(in.rest)) {
		in.bad, in.rest = true, nil
		return 0
	}
	return int(v)
}

// bytes reads what appendString wrote.
func (in *input) bytes(most int) []byte { return in.take(in.count(most)) }

func appendUint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = appendUint(dst, uint64(len(s)))
	return append(dst, s...)
}
