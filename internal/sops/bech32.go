package sops

import (
	"errors"
	"strings"
)

// bech32 reads a BIP 173 string of any length, as age's keys are: the part before
// the last "1" and the bytes behind it, checksum verified and cut.
func bech32(s string) (hrp string, data []byte, err error) {
	if s != strings.ToLower(s) && s != strings.ToUpper(s) {
		return "", nil, errors.New("it mixes upper and lower case")
	}
	s = strings.ToLower(s)
	cut := strings.LastIndexByte(s, '1')
	if cut < 1 || len(s)-cut-1 < 6 {
		return "", nil, errors.New("it is cut short")
	}
	hrp = s[:cut]
	for i := range len(hrp) {
		if hrp[i] < 33 || hrp[i] > 126 {
			return "", nil, errors.New("it has a character that no key has")
		}
	}
	five := make([]byte, 0, len(s)-cut-1)
	for i := cut + 1; i < len(s); i++ {
		v := strings.IndexByte("qpzry9x8gf2tvdw0s3jn54khce6mua7l", s[i])
		if v < 0 {
			return "", nil, errors.New("it has a character that no key has")
		}
		five = append(five, byte(v))
	}
	if checksum(hrp, five) != 1 {
		return "", nil, errors.New("its checksum is wrong: a character was lost or mistyped")
	}
	data, ok := eightBits(five[:len(five)-6])
	if !ok {
		return "", nil, errors.New("it is cut short")
	}
	return hrp, data, nil
}

func checksum(hrp string, five []byte) uint32 {
	sum := uint32(1)
	for i := range len(hrp) {
		sum = step32(sum, hrp[i]>>5)
	}
	sum = step32(sum, 0)
	for i := range len(hrp) {
		sum = step32(sum, hrp[i]&31)
	}
	for _, v := range five {
		sum = step32(sum, v)
	}
	return sum
}

// step32 feeds five bits into the checksum's polynomial.
func step32(sum uint32, v byte) uint32 {
	top := sum >> 25
	sum = sum&0x1ffffff<<5 ^ uint32(v)
	for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			sum ^= g
		}
	}
	return sum
}

// eightBits regroups five-bit values; what is left over must be zeros, under five bits.
func eightBits(five []byte) ([]byte, bool) {
	var acc, bits uint32
	out := make([]byte, 0, len(five)*5/8)
	for _, v := range five {
		acc = acc<<5 | uint32(v)
		if bits += 5; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
			acc &= 1<<bits - 1
		}
	}
	return out, bits < 5 && acc == 0
}
