package cost

import (
	"math/big"
	"strings"
)

// Amount is an exact number: of dollars, requests, GB-seconds. It does not change. The zero value is 0.
type Amount struct{ r *big.Rat }

// Int returns n.
func Int(n int64) Amount { return Amount{new(big.Rat).SetInt64(n)} }

// Decimal reads a plain decimal such as "0.0000166667"; false for anything else: signs, exponents, more than 40 characters.
func Decimal(text string) (Amount, bool) {
	whole, part, dotted := strings.Cut(text, ".")
	if len(text) > 40 || !digits(whole) || dotted && !digits(part) {
		return Amount{}, false
	}
	r, ok := new(big.Rat).SetString(text)
	return Amount{r}, ok
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func (a Amount) rat() *big.Rat {
	if a.r == nil {
		return new(big.Rat)
	}
	return a.r
}

// Plus returns a + b.
func (a Amount) Plus(b Amount) Amount { return Amount{new(big.Rat).Add(a.rat(), b.rat())} }

// Minus returns a - b.
func (a Amount) Minus(b Amount) Amount { return Amount{new(big.Rat).Sub(a.rat(), b.rat())} }

// Times returns a × b.
func (a Amount) Times(b Amount) Amount { return Amount{new(big.Rat).Mul(a.rat(), b.rat())} }

// Over returns a ÷ b, 0 if b is 0.
func (a Amount) Over(b Amount) Amount {
	if b.Sign() == 0 {
		return Amount{}
	}
	return Amount{new(big.Rat).Quo(a.rat(), b.rat())}
}

// Cmp compares: negative if a < b, 0 if equal, positive if a > b.
func (a Amount) Cmp(b Amount) int { return a.rat().Cmp(b.rat()) }

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return a.rat().Sign() }

// least returns the smaller of two.
func least(a, b Amount) Amount {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// Fixed returns the number with so many decimals, halves away from zero, and commas between thousands.
func (a Amount) Fixed(decimals int) string {
	text := a.rat().FloatString(decimals)
	sign, whole, part := "", text, ""
	if i := strings.IndexByte(text, '.'); i >= 0 {
		whole, part = text[:i], text[i:]
	}
	if whole[0] == '-' {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + part
}

// Short returns the number with at most so many decimals, without zeros at the end, and commas between thousands.
func (a Amount) Short(decimals int) string {
	text := a.Fixed(decimals)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// jsonDecimals keep prices of a GB-second whole, which have ten.
const jsonDecimals = 12

// MarshalJSON writes a number, rounded to 12 decimals.
func (a Amount) MarshalJSON() ([]byte, error) {
	return []byte(strings.ReplaceAll(a.Short(jsonDecimals), ",", "")), nil
}
