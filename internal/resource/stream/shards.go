package stream

import (
	"crypto/md5" //nolint:gosec // what Kinesis divides keys by; no protection
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

const maxShards = 100

// Shard is a part of a stream: the keys whose MD5, as a number, is between First and Last.
type Shard struct {
	ID          string // "shardId-000000000000"
	First, Last *big.Int
}

// hashes is how many there are: 2 to the power of 128.
func hashes() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 128) }

// ShardsOf divides all keys into n shards of the same size.
func ShardsOf(n int) []Shard {
	bound := func(i int) *big.Int {
		b := new(big.Int).Mul(hashes(), big.NewInt(int64(i)))
		return b.Div(b, big.NewInt(int64(n)))
	}
	shards := make([]Shard, n)
	for i := range shards {
		last := new(big.Int).Sub(bound(i+1), big.NewInt(1))
		shards[i] = Shard{ID: shardID(i), First: bound(i), Last: last}
	}
	return shards
}

const shardPrefix = "shardId-"

func shardID(i int) string { return fmt.Sprintf("%s%012d", shardPrefix, i) }

// shardIndex is the number in the id of a shard, false if a stream of n shards has no such.
func shardIndex(id string, n int) (int, bool) {
	digits, ok := strings.CutPrefix(id, shardPrefix)
	i, err := strconv.Atoi(digits)
	return i, ok && err == nil && i >= 0 && i < n
}

// hashOf is the number by which a key belongs to a shard.
func hashOf(key string) *big.Int {
	sum := md5.Sum([]byte(key)) //nolint:gosec // see the import
	return new(big.Int).SetBytes(sum[:])
}

// shardFor is the shard of n that a hash belongs to.
func shardFor(hash *big.Int, n int) int {
	for i, s := range ShardsOf(n) {
		if hash.Cmp(s.Last) <= 0 {
			return i
		}
	}
	return n - 1
}

// sequence is the number of a record as clients see it. Of two, the later is the greater as text and as a number.
func sequence(number int64) string { return fmt.Sprintf("49%054d", number) }

// numberOf reads a sequence number; false for one that no record can have.
func numberOf(sequence string) (int64, bool) {
	digits, ok := strings.CutPrefix(sequence, "49")
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, ok && err == nil && len(digits) == 54
}
