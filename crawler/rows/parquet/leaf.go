package parquet

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

var (
	errEncoding = errors.New("the text is not UTF-8")
	errJSON     = errors.New("the text is not JSON")
)

// leafOf makes of a column's values those of records; nil where it cannot.
func leafOf(c *parquet.Column) func(parquet.Value) (any, error) {
	kind := c.Type().Kind()
	if t := c.Type().LogicalType(); t != nil {
		switch t := t.Value.(type) {
		case *format.StringType, *format.EnumType:
			return text
		case *format.JsonType:
			return document
		case *format.DecimalType:
			return func(v parquet.Value) (any, error) { return decimal(v, int(t.Scale)) }
		case *format.DateType:
			return func(v parquet.Value) (any, error) {
				return time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly), nil
			}
		case *format.TimeType:
			return clock(kind, t.Unit)
		case *format.TimestampType:
			return instant(t.Unit)
		case *format.IntType:
			if !t.IsSigned {
				return unsigned(kind)
			}
		case *format.UUIDType:
			return uuid
		}
	}
	switch kind {
	case parquet.Boolean:
		return func(v parquet.Value) (any, error) { return v.Boolean(), nil }
	case parquet.Int32:
		return func(v parquet.Value) (any, error) { return int64(v.Int32()), nil }
	case parquet.Int64:
		return func(v parquet.Value) (any, error) { return v.Int64(), nil }
	case parquet.Int96:
		return oldInstant
	case parquet.Float: // by its shortest text, as people wrote it
		return func(v parquet.Value) (any, error) {
			f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v.Float()), 'g', -1, 32), 64)
			if err != nil {
				return nil, nil
			}
			return finite(f)
		}
	case parquet.Double:
		return func(v parquet.Value) (any, error) { return finite(v.Double()) }
	case parquet.ByteArray:
		if c.Type().LogicalType() == nil {
			return unsaid
		}
		return bytes
	case parquet.FixedLenByteArray:
		return bytes
	}
	return nil
}

func text(v parquet.Value) (any, error) {
	b := v.ByteArray()
	if !utf8.Valid(b) {
		return strings.ToValidUTF8(string(b), "\ufffd"), errEncoding
	}
	return string(b), nil
}

// unsaid is what no one has called text, nor anything else: many writers do not say so
// of text.
func unsaid(v parquet.Value) (any, error) {
	if b := v.ByteArray(); utf8.Valid(b) && slices.Index(b, 0) < 0 {
		return string(b), nil
	}
	return bytes(v)
}

func bytes(v parquet.Value) (any, error) {
	return base64.StdEncoding.EncodeToString(v.ByteArray()), nil
}

func document(v parquet.Value) (any, error) {
	b := v.ByteArray()
	if !json.Valid(b) {
		return nil, errJSON
	}
	return json.RawMessage(append([]byte(nil), b...)), nil
}

// decimal is a number with all of its digits.
func decimal(v parquet.Value, scale int) (any, error) {
	n := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default: // two's complement, its highest octet first
		b := v.ByteArray()
		if n.SetBytes(b); len(b) > 0 && b[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	if scale < 0 || scale > 1000 {
		return nil, fmt.Errorf("a decimal of the scale %d", scale)
	}
	digits := n.Text(10)
	sign := ""
	if n.Sign() < 0 {
		sign, digits = "-", digits[1:]
	}
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	} else if n.IsInt64() {
		return n.Int64(), nil
	}
	return json.RawMessage(sign + digits), nil
}

func unsigned(kind parquet.Kind) func(parquet.Value) (any, error) {
	if kind == parquet.Int32 {
		return func(v parquet.Value) (any, error) { return int64(v.Uint32()), nil }
	}
	return func(v parquet.Value) (any, error) {
		if n := v.Uint64(); n > 1<<63-1 {
			return json.RawMessage(strconv.FormatUint(n, 10)), nil
		}
		return v.Int64(), nil
	}
}

// length is what a unit of time stands for.
func length(u format.TimeUnit) time.Duration {
	if u.Value == nil {
		return time.Millisecond
	}
	return u.Value.Duration()
}

func instant(unit format.TimeUnit) func(parquet.Value) (any, error) {
	per := int64(time.Second / length(unit))
	return func(v parquet.Value) (any, error) {
		s, rest := v.Int64()/per, v.Int64()%per
		return moment(time.Unix(s, rest*int64(length(unit))))
	}
}

func moment(t time.Time) (any, error) {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return nil, errors.New("a time that is not between the years 1 and 9999")
	}
	return t.Format(time.RFC3339Nano), nil
}

func clock(kind parquet.Kind, unit format.TimeUnit) func(parquet.Value) (any, error) {
	return func(v parquet.Value) (any, error) {
		n := v.Int64()
		if kind == parquet.Int32 {
			n = int64(v.Int32())
		}
		if n < 0 || n > int64(24*time.Hour/length(unit)) {
			return nil, errors.New("a time of no day")
		}
		return time.Unix(0, n*int64(length(unit))).UTC().Format("15:04:05.999999999"), nil
	}
}

// oldInstant reads the time stamps of old writers: nanoseconds of a Julian day.
func oldInstant(v parquet.Value) (any, error) {
	n := v.Int96()
	days, nanos := int64(n[2])-2440588, int64(uint64(n[1])<<32|uint64(n[0]))
	return moment(time.Unix(days*86400, nanos))
}

func uuid(v parquet.Value) (any, error) {
	b := v.ByteArray()
	if len(b) != 16 {
		return nil, errors.New("a UUID of another length than 16 octets")
	}
	return fmt.Sprintf("%x-%x-%x-%x-%012x", b[0:4], b[4:6], b[6:8], b[8:10], uint64(binary.BigEndian.Uint16(b[10:12]))<<32|uint64(binary.BigEndian.Uint32(b[12:16]))), nil
}
