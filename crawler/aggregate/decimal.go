package aggregate

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decimal is digits × 10^-scale.
type decimal struct {
	digits big.Int
	scale  int
}

const (
	// maxDigits bounds a number's text: a sum holds as many digits as its numbers.
	maxDigits = 400
	// maxExponent is more than that of any 64-bit float.
	maxExponent = 400
)

// parse reads a number as JSON writes them, with digits enough for any float.
func (d *decimal) parse(text string) bool { return len(text) <= maxDigits && d.read(text) }

func (d *decimal) read(text string) bool {
	mantissa, exponent, has := cutExponent(text)
	e := 0
	if has {
		var err error
		if e, err = strconv.Atoi(exponent); err != nil || e > maxExponent || e < -maxExponent {
			return false
		}
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	unsigned := strings.TrimPrefix(whole, "-")
	if !isDigits(unsigned) || point && !isDigits(fraction) {
		return false
	}
	if _, ok := d.digits.SetString(whole+fraction, 10); !ok {
		return false
	}
	d.scale = len(fraction) - e
	return true
}

func cutExponent(text string) (mantissa, exponent string, has bool) {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}

func isDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

var ten = big.NewInt(10)

// at is the digits for a scale that is no less than the number's own.
func (d *decimal) at(scale int) *big.Int {
	if scale == d.scale {
		return &d.digits
	}
	factor := new(big.Int).Exp(ten, big.NewInt(int64(scale-d.scale)), nil)
	return factor.Mul(factor, &d.digits)
}

// add returns the exact sum.
func (d *decimal) add(o *decimal) *decimal {
	scale := max(d.scale, o.scale)
	sum := &decimal{scale: scale}
	sum.digits.Add(d.at(scale), o.at(scale))
	return sum
}

func (d *decimal) compare(o *decimal) int {
	scale := max(d.scale, o.scale)
	return d.at(scale).Cmp(o.at(scale))
}

// String is the number in plain digits, as many behind the point as its scale says.
func (d *decimal) String() string {
	digits, sign := d.digits.Text(10), ""
	if d.digits.Sign() < 0 {
		digits, sign = digits[1:], "-"
	}
	switch {
	case d.scale <= 0 && d.digits.Sign() == 0:
		return "0"
	case d.scale <= 0:
		return sign + digits + strings.Repeat("0", -d.scale)
	case len(digits) <= d.scale:
		digits = strings.Repeat("0", d.scale-len(digits)+1) + digits
	}
	return sign + digits[:len(digits)-d.scale] + "." + digits[len(digits)-d.scale:]
}

// over is the float next to the number divided by n.
func (d *decimal) over(n int64) float64 {
	power := func(e int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(e)), nil) }
	numerator, denominator := new(big.Int).Set(&d.digits), big.NewInt(n)
	if d.scale >= 0 {
		denominator.Mul(denominator, power(d.scale))
	} else {
		numerator.Mul(numerator, power(-d.scale))
	}
	f, _ := new(big.Rat).SetFrac(numerator, denominator).Float64()
	return f
}

// number reads a value as a number. A float is taken as the shortest decimal that
// reads as it, which is what people wrote: 0.1 is a tenth.
func number(v any) (d decimal, of kind, ok bool) {
	switch v := v.(type) {
	case int64:
		d.digits.SetInt64(v)
		return d, integers, true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return d, floats, false
		}
		return d, floats, d.parse(strconv.FormatFloat(v, 'g', -1, 64))
	case json.RawMessage:
		return d, exact, d.parse(string(v))
	case string:
		return d, texts, d.parse(v)
	}
	return d, texts, false
}

// kind is what a sum is of: the greatest of its values' kinds.
type kind uint8

const (
	integers kind = iota // and so an integer
	exact                // numbers that no int64 or float64 holds: a JSON number
	floats               // a float, the one next to the exact sum
	texts                // a text, with every digit
)

// as is the sum in the form of what it was made of.
func (k kind) as(d *decimal) any {
	switch k {
	case integers:
		if d.digits.IsInt64() && d.scale == 0 {
			return d.digits.Int64()
		}
		return json.RawMessage(d.String())
	case exact:
		return json.RawMessage(d.String())
	case floats:
		if f := d.over(1); !math.IsInf(f, 0) {
			return f
		}
		return json.RawMessage(d.String()) // beyond any float
	}
	return d.String()
}
