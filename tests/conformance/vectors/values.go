package main

// The values of the vectors: every type, and for each what can go wrong in it.

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// vector is a value, or where bytes is set, an encoding that a decoder has to accept although no encoder writes it.
type vector struct {
	note  string
	kind  cty.Type
	value cty.Value
	bytes []byte
}

// vectors are in a fixed order and the same in every run.
func vectors() []vector {
	var all []vector
	add := func(note string, value cty.Value) { all = append(all, vector{note, value.Type(), value, nil}) }
	addAs := func(note string, kind cty.Type, value cty.Value) { all = append(all, vector{note, kind, value, nil}) }
	addBytes := func(note string, kind cty.Type, bytes ...byte) {
		all = append(all, vector{note, kind, cty.NilVal, bytes})
	}

	for _, kind := range kinds() {
		name := strings.ReplaceAll(kind.GoString(), "cty.", "")
		add("null "+name, cty.NullVal(kind))
		add("unknown "+name, cty.UnknownVal(kind))
		if kind != cty.DynamicPseudoType {
			add("unknown, not null "+name, cty.UnknownVal(kind).RefineNotNull())
			addAs("dynamic: null of "+name, cty.DynamicPseudoType, cty.NullVal(kind))
			addAs("dynamic: unknown of "+name, cty.DynamicPseudoType, cty.UnknownVal(kind))
			addAs("dynamic: unknown, not null "+name, cty.DynamicPseudoType, cty.UnknownVal(kind).RefineNotNull())
		}
	}

	add("true", cty.True)
	add("false", cty.False)
	for _, text := range texts() {
		add(fmt.Sprintf("string %.40q", text), cty.StringVal(text))
		addAs(fmt.Sprintf("dynamic: string %.40q", text), cty.DynamicPseudoType, cty.StringVal(text))
	}
	for _, number := range numbers() {
		add("number "+number.note, number.value)
		addAs("dynamic: number "+number.note, cty.DynamicPseudoType, number.value)
	}
	refinements(add)
	collections(add, addAs)
	sets(add)
	tolerated(addBytes)
	return all
}

func kinds() []cty.Type {
	object := cty.Object(map[string]cty.Type{"b": cty.Number, "a": cty.String})
	return []cty.Type{
		cty.String, cty.Number, cty.Bool, cty.DynamicPseudoType,
		cty.List(cty.String), cty.Set(cty.Number), cty.Map(cty.Bool), cty.List(object), cty.Set(object), cty.Map(object),
		cty.List(cty.List(cty.String)), cty.Set(cty.Set(cty.String)), cty.Map(cty.Map(cty.Number)),
		object, cty.EmptyObject, cty.Tuple([]cty.Type{cty.String, cty.Number}), cty.EmptyTuple,
		cty.Object(map[string]cty.Type{"any": cty.DynamicPseudoType, "list": cty.List(cty.String)}),
		cty.List(cty.DynamicPseudoType), cty.Map(cty.DynamicPseudoType),
	}
}

func texts() []string {
	return []string{
		"", "a", "hello", "with \"quotes\" and \\ and \n\t", "\x00", "<&>\u2028", "zażółć", "e\u0301", "\u00e9", "\u212b",
		"\u1100\u1161", "日本語", "👩‍👩‍👧", "\U0001f1e9\U0001f1ea", "${not.a.template}",
		strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat("x", 255), strings.Repeat("x", 256),
	}
}

type number struct {
	note  string
	value cty.Value
}

func numbers() []number {
	var all []number
	for _, i := range []int64{
		0, 1, -1, 31, -31, -32, -33, 127, 128, -127, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536,
		math.MaxInt32, math.MaxInt32 + 1, math.MinInt32, math.MinInt32 - 1, math.MaxUint32, math.MaxUint32 + 1,
		1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64,
	} {
		all = append(all, number{fmt.Sprint("int ", i), cty.NumberIntVal(i)})
	}
	for _, text := range []string{
		"9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
		"100000000000000000000", "1e300", "1e-300", "-1e300", "1e1000", "1e-1000", "0.1", "-0.1", "0.5", "1.5", "-2.25", "0.3", "3.14159265358979",
		"1.1", "123456789.123456789", "0.30000000000000004", "1e3", "1.0", "-0", "0.0", "4.9e-324", "1.7976931348623157e308",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901",
		"1234567890123456789012345678901234567890.123456789012345678901234567890123456789012345678901234567891",
		"0.1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567891",
		strings.Repeat("9", 200), "0." + strings.Repeat("9", 200),
	} {
		note := text
		if len(note) > 40 {
			note = fmt.Sprintf("%s… (%d digits)", note[:12], len(text))
		}
		all = append(all, number{"text " + note, cty.MustParseNumberVal(text)})
	}
	for _, f := range []float64{0.1, 0.5, 1.0 / 3, 1e300, 1e-300, math.Pi, 1 << 62, 1 << 63, 1 << 64, math.MaxFloat64, math.SmallestNonzeroFloat64, -0.7} {
		all = append(all, number{fmt.Sprint("float64 ", f), cty.NumberFloatVal(f)})
	}
	third := new(big.Float).SetPrec(512).Quo(big.NewFloat(1), big.NewFloat(3))
	return append(all,
		number{"a third to 512 bits", cty.NumberVal(third)},
		number{"2^511", cty.NumberVal(new(big.Float).SetPrec(512).SetMantExp(big.NewFloat(1), 511))},
		number{"2^600", cty.NumberVal(new(big.Float).SetPrec(512).SetMantExp(big.NewFloat(1), 600))},
		number{"2^-80", cty.NumberVal(new(big.Float).SetPrec(512).SetMantExp(big.NewFloat(1), -80))},
		number{"positive infinity", cty.PositiveInfinity},
		number{"negative infinity", cty.NegativeInfinity},
	)
}

func refinements(add func(string, cty.Value)) {
	text := func() *cty.RefinementBuilder { return cty.UnknownVal(cty.String).Refine() }
	count := func() *cty.RefinementBuilder { return cty.UnknownVal(cty.Number).Refine() }
	list := func() *cty.RefinementBuilder { return cty.UnknownVal(cty.List(cty.String)).Refine() }
	five, ten := cty.NumberIntVal(5), cty.NumberIntVal(10)

	add("unknown string, prefix", text().StringPrefixFull("ami-").NewValue())
	add("unknown string, prefix cut at a safe boundary", text().StringPrefix("abce").NewValue())
	add("unknown string, not null, prefix", text().NotNull().StringPrefixFull("ami-").NewValue())
	add("unknown string, prefix in NFC", text().StringPrefixFull("e\u0301-").NewValue())
	add("unknown string, empty prefix", text().NotNull().StringPrefixFull("").NewValue())
	add("unknown string, prefix of 255 bytes", text().StringPrefixFull(strings.Repeat("p", 255)).NewValue())
	add("unknown string, prefix of 256 bytes", text().StringPrefixFull(strings.Repeat("p", 256)).NewValue())
	add("unknown string, prefix of 257 bytes is cut", text().StringPrefixFull(strings.Repeat("p", 257)).NewValue())
	add("unknown string, prefix of 300 two-byte letters is cut", text().StringPrefixFull(strings.Repeat("é", 300)).NewValue())
	add("unknown number, at least 5", count().NumberRangeLowerBound(five, true).NewValue())
	add("unknown number, above 5", count().NumberRangeLowerBound(five, false).NewValue())
	add("unknown number, at most 10", count().NumberRangeUpperBound(ten, true).NewValue())
	add("unknown number, below 10", count().NumberRangeUpperBound(ten, false).NewValue())
	add("unknown number, not null, 5 to 10", count().NotNull().NumberRangeInclusive(five, ten).NewValue())
	add("unknown number, above 0.1 as decimal", count().NumberRangeLowerBound(cty.MustParseNumberVal("0.1"), false).NewValue())
	add("unknown number, above 0.5", count().NumberRangeLowerBound(cty.NumberFloatVal(0.5), false).NewValue())
	add("unknown number, at most 2^64", count().NumberRangeUpperBound(cty.MustParseNumberVal("18446744073709551616"), true).NewValue())
	add("unknown list, at least 2", list().CollectionLengthLowerBound(2).NewValue())
	add("unknown list, at most 300", list().CollectionLengthUpperBound(300).NewValue())
	add("unknown list, not null, 1 to 70000", list().NotNull().CollectionLengthLowerBound(1).CollectionLengthUpperBound(70000).NewValue())
	add("unknown list, exactly 2 gives a list of unknowns", list().NotNull().CollectionLength(2).NewValue())
	add("unknown set, 1 to 3", cty.UnknownVal(cty.Set(cty.String)).Refine().NotNull().CollectionLengthLowerBound(1).CollectionLengthUpperBound(3).NewValue())
	add("unknown map, at least 1", cty.UnknownVal(cty.Map(cty.String)).Refine().CollectionLengthLowerBound(1).NewValue())
	add("object with refined members", cty.ObjectVal(map[string]cty.Value{
		"arn":   text().NotNull().StringPrefixFull("arn:").NewValue(),
		"count": count().NotNull().NumberRangeInclusive(cty.Zero, ten).NewValue(),
		"list":  list().NotNull().CollectionLengthUpperBound(2).NewValue(),
		"plain": cty.UnknownVal(cty.String),
	}))
}

func collections(add func(string, cty.Value), addAs func(string, cty.Type, cty.Value)) {
	one, two := cty.NumberIntVal(1), cty.NumberIntVal(2)
	a, b := cty.StringVal("a"), cty.StringVal("b")
	none, open := cty.NullVal(cty.String), cty.UnknownVal(cty.String)
	object := cty.ObjectVal(map[string]cty.Value{"b": one, "a": b})
	any := cty.DynamicPseudoType

	values := []struct {
		note  string
		value cty.Value
	}{
		{"empty list", cty.ListValEmpty(cty.String)},
		{"empty set", cty.SetValEmpty(cty.String)},
		{"empty map", cty.MapValEmpty(cty.String)},
		{"empty object", cty.EmptyObjectVal},
		{"empty tuple", cty.EmptyTupleVal},
		{"list with null and unknown", cty.ListVal([]cty.Value{b, none, a, open, a})},
		{"list of lists, some empty", cty.ListVal([]cty.Value{cty.ListValEmpty(cty.String), cty.ListVal([]cty.Value{a})})},
		{"map with null and unknown", cty.MapVal(map[string]cty.Value{"y": b, "x": none, "": a, "z": open})},
		{"map with keys in and out of NFC order", cty.MapVal(map[string]cty.Value{"e\u0301": a, "f": b, "É": a, "Z": b, "日": a})},
		{"object", object},
		{"object with null members", cty.ObjectVal(map[string]cty.Value{"s": none, "l": cty.NullVal(cty.List(cty.String)), "o": cty.NullVal(cty.EmptyObject)})},
		{"object with odd names", cty.ObjectVal(map[string]cty.Value{"with space": a, "Z": b, "é": a, "-": b, "1": a})},
		{"tuple", cty.TupleVal([]cty.Value{a, one, cty.True, none, cty.UnknownVal(cty.Number), object})},
		{"list of objects", cty.ListVal([]cty.Value{object, cty.NullVal(object.Type()), cty.UnknownVal(object.Type())})},
		{"nested deep", cty.MapVal(map[string]cty.Value{"k": cty.ListVal([]cty.Value{cty.SetVal([]cty.Value{cty.TupleVal([]cty.Value{object, two})})})})},
		{"list of 15", cty.ListVal(counted(15))},
		{"list of 16", cty.ListVal(counted(16))},
		{"map of 16", cty.MapVal(keyed(16))},
		{"object of 20", cty.ObjectVal(keyed(20))},
	}
	for _, each := range values {
		add(each.note, each.value)
		addAs("dynamic: "+each.note, any, each.value)
	}

	typed := cty.Object(map[string]cty.Type{"any": any, "name": cty.String})
	for _, each := range []struct {
		note  string
		value cty.Value
	}{
		{"string", a}, {"number", one}, {"bool", cty.True}, {"object", object}, {"tuple", cty.TupleVal([]cty.Value{a, one})},
		{"null of no type", cty.NullVal(any)}, {"unknown of no type", cty.DynamicVal}, {"null string", none}, {"unknown string", open},
		{"empty map", cty.MapValEmpty(cty.Bool)}, {"set", cty.SetVal([]cty.Value{b, a})},
	} {
		addAs("object with a dynamic member: "+each.note, typed, cty.ObjectVal(map[string]cty.Value{"any": each.value, "name": a}))
		addAs("tuple with a dynamic member: "+each.note, cty.Tuple([]cty.Type{any}), cty.TupleVal([]cty.Value{each.value}))
		addAs("list of dynamic: "+each.note, cty.List(any), cty.ListVal([]cty.Value{each.value, each.value}))
		addAs("map of dynamic: "+each.note, cty.Map(any), cty.MapVal(map[string]cty.Value{"k": each.value}))
	}
	addAs("empty list of dynamic", cty.List(any), cty.ListValEmpty(any))
	addAs("empty map of dynamic", cty.Map(any), cty.MapValEmpty(any))
}

func counted(n int64) []cty.Value {
	values := make([]cty.Value, n)
	for i := range values {
		values[i] = cty.NumberIntVal(int64(i))
	}
	return values
}

func keyed(n int64) map[string]cty.Value {
	values := map[string]cty.Value{}
	for i := range n {
		values[fmt.Sprint("key", i)] = cty.NumberIntVal(i)
	}
	return values
}

// sets are encoded in go-cty's iteration order.
func sets(add func(string, cty.Value)) {
	strs := func(texts ...string) []cty.Value {
		values := make([]cty.Value, len(texts))
		for i, text := range texts {
			values[i] = cty.StringVal(text)
		}
		return values
	}
	nums := func(texts ...string) []cty.Value {
		values := make([]cty.Value, len(texts))
		for i, text := range texts {
			values[i] = cty.MustParseNumberVal(text)
		}
		return values
	}
	none, open := cty.NullVal(cty.String), cty.UnknownVal(cty.String)
	prefixed := open.Refine().NotNull().StringPrefixFull("p").NewValue()

	add("set of strings", cty.SetVal(strs("b", "a", "", "B", "é", "z", "日", "aa", "10", "9")))
	add("set of strings, equal ones", cty.SetVal(strs("b", "a", "b", "e\u0301", "\u00e9")))
	add("set of strings with null", cty.SetVal(append(strs("b", "a"), none)))
	add("set of strings with null and unknowns", cty.SetVal(append(strs("b", "a"), open, none, open)))
	add("set of strings with a refined unknown", cty.SetVal(append(strs("b", "q"), prefixed, open)))
	add("set of only an unknown", cty.SetVal([]cty.Value{open}))
	add("set of only a null", cty.SetVal([]cty.Value{none}))
	add("set of numbers", cty.SetVal(nums("10", "9", "-1", "0.5", "0.1", "1e300", "100000000000000000001", "100000000000000000000", "-1e300")))
	add("set of a float64 and a decimal that print the same", cty.SetVal([]cty.Value{cty.NumberFloatVal(0.1), cty.MustParseNumberVal("0.1")}))
	add("set of numbers with infinities", cty.SetVal([]cty.Value{cty.PositiveInfinity, cty.Zero, cty.NegativeInfinity}))
	add("set of numbers with null and unknown", cty.SetVal(append(nums("2", "1"), cty.UnknownVal(cty.Number), cty.NullVal(cty.Number))))
	add("set of bools", cty.SetVal([]cty.Value{cty.True, cty.False, cty.True}))
	add("set of bools with null and unknown", cty.SetVal([]cty.Value{cty.UnknownVal(cty.Bool), cty.True, cty.NullVal(cty.Bool), cty.False}))

	rule := func(port, cidr cty.Value) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{"port": port, "cidr": cidr, "open": cty.True})
	}
	port := func(n int64) cty.Value { return cty.NumberIntVal(n) }
	kind := rule(port(1), none).Type()
	rules := []cty.Value{
		rule(port(443), cty.StringVal("10.0.0.0/8")), rule(port(80), cty.StringVal("10.0.0.0/8")),
		rule(port(9), cty.StringVal("0.0.0.0/0")), rule(port(10), cty.StringVal("0.0.0.0/0")),
		rule(port(80), none), rule(cty.NullVal(cty.Number), cty.StringVal("x")), rule(cty.MustParseNumberVal("0.1"), cty.StringVal("y")),
		rule(cty.MustParseNumberVal("12345678901234567890123"), cty.StringVal("y")), rule(cty.MustParseNumberVal("1e21"), cty.StringVal("quote \" and é \n")),
		rule(cty.MustParseNumberVal("1000000"), cty.StringVal("y")), rule(cty.MustParseNumberVal("0.0000001"), cty.StringVal("y")),
		rule(port(-5), cty.StringVal("")),
	}
	add("set of objects", cty.SetVal(rules))
	add("set of objects with unknown members", cty.SetVal(append(rules,
		rule(port(80), open), rule(cty.UnknownVal(cty.Number), cty.StringVal("10.0.0.0/8")), rule(cty.UnknownVal(cty.Number), open), rule(port(80), open))))
	add("set of objects with null and unknown", cty.SetVal(append(rules, cty.UnknownVal(kind), cty.NullVal(kind))))

	lists, tuples, maps, nested := []cty.Value{cty.ListValEmpty(cty.String)}, []cty.Value{}, []cty.Value{cty.MapValEmpty(cty.String)}, []cty.Value{cty.SetValEmpty(cty.String)}
	for _, words := range [][]string{{"b"}, {"a", "b"}, {"b", "a"}, {"a"}, {"a", "a"}, {"", ""}, {"a;b"}, {"ab", ""}, {"é", "\""}, {"\u2028", "\x00\x7f"}, {"👩‍👩‍👧"}, {"\u00ad\ufeff"}} {
		lists = append(lists, cty.ListVal(strs(words...)))
		nested = append(nested, cty.SetVal(strs(words...)))
		members := map[string]cty.Value{}
		for i, word := range words {
			members[word+fmt.Sprint(i)] = cty.StringVal(word)
		}
		maps = append(maps, cty.MapVal(members))
		if len(words) == 2 {
			tuples = append(tuples, cty.TupleVal([]cty.Value{cty.StringVal(words[0]), cty.NumberIntVal(int64(len(words[1])))}))
		}
	}
	listKind, mapKind := cty.List(cty.String), cty.Map(cty.String)
	add("set of lists", cty.SetVal(lists))
	add("set of lists with null and unknown", cty.SetVal(append(lists, cty.NullVal(listKind), cty.UnknownVal(listKind), cty.ListVal([]cty.Value{open}), cty.ListVal([]cty.Value{none}))))
	add("set of tuples", cty.SetVal(tuples))
	add("set of maps", cty.SetVal(maps))
	add("set of maps with null and unknown", cty.SetVal(append(maps, cty.NullVal(mapKind), cty.UnknownVal(mapKind), cty.MapVal(map[string]cty.Value{"k": none}), cty.MapVal(map[string]cty.Value{"k": open}))))
	add("set of sets", cty.SetVal(nested))
	// Bool members hash to T and F, empty collections to nothing between their brackets.
	flags := []cty.Value{}
	for _, flag := range []cty.Value{cty.True, cty.False, cty.NullVal(cty.Bool), cty.UnknownVal(cty.Bool)} {
		flags = append(flags, cty.ObjectVal(map[string]cty.Value{"flag": flag, "none": cty.EmptyObjectVal}))
	}
	add("set of objects of bools", cty.SetVal(flags))
	var precise []cty.Value
	for _, number := range numbers() {
		precise = append(precise, cty.TupleVal([]cty.Value{number.value}))
	}
	add("set of tuples of every number", cty.SetVal(precise))
	var worded []cty.Value
	for _, text := range texts()[:15] {
		worded = append(worded, cty.TupleVal([]cty.Value{cty.StringVal(text)}))
	}
	add("set of tuples of every string", cty.SetVal(worded))
}

// tolerated are encodings that go-cty accepts and never writes.
func tolerated(add func(string, cty.Type, ...byte)) {
	add("decode: uint8 5", cty.Number, 0xcc, 5)
	add("decode: uint16 5", cty.Number, 0xcd, 0, 5)
	add("decode: uint32 5", cty.Number, 0xce, 0, 0, 0, 5)
	add("decode: uint64 5", cty.Number, 0xcf, 0, 0, 0, 0, 0, 0, 0, 5)
	add("decode: uint64 of all ones", cty.Number, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255)
	add("decode: int8 -5", cty.Number, 0xd0, 251)
	add("decode: int16 -5", cty.Number, 0xd1, 255, 251)
	add("decode: int32 -5", cty.Number, 0xd2, 255, 255, 255, 251)
	add("decode: int64 5", cty.Number, 0xd3, 0, 0, 0, 0, 0, 0, 0, 5)
	add("decode: float32 0.5", cty.Number, 0xca, 0x3f, 0, 0, 0)
	add("decode: float64 5", cty.Number, 0xcb, 0x40, 0x14, 0, 0, 0, 0, 0, 0)
	add("decode: number as text with exponent", cty.Number, 0xa3, '1', 'e', '3')
	add("decode: number as text of an int", cty.Number, 0xa2, '1', '2')
	add("decode: string as bin8", cty.String, 0xc4, 2, 'h', 'i')
	add("decode: string as str8", cty.String, 0xd9, 2, 'h', 'i')
	add("decode: string as str32", cty.String, 0xdb, 0, 0, 0, 2, 'h', 'i')
	add("decode: array32 of one", cty.List(cty.Bool), 0xdd, 0, 0, 0, 1, 0xc3)
	add("decode: map32 of one", cty.Map(cty.Bool), 0xdf, 0, 0, 0, 1, 0xa1, 'k', 0xc3)
	add("decode: string not in NFC", cty.String, 0xa3, 'e', 0xcc, 0x81)
	add("decode: array16 of one", cty.List(cty.Bool), 0xdc, 0, 1, 0xc3)
	add("decode: map16 of one", cty.Map(cty.Bool), 0xde, 0, 1, 0xa1, 'k', 0xc3)
	add("decode: set with equal elements", cty.Set(cty.Bool), 0x93, 0xc3, 0xc2, 0xc3)
	add("decode: set out of order", cty.Set(cty.String), 0x92, 0xa1, 'b', 0xa1, 'a')
	add("decode: object out of order", cty.Object(map[string]cty.Type{"a": cty.Bool, "b": cty.Bool}), 0x82, 0xa1, 'b', 0xc3, 0xa1, 'a', 0xc2)
	add("decode: plain unknown under another ext type", cty.String, 0xd4, 5, 0)
	add("decode: plain unknown with an empty body", cty.String, 0xc7, 0, 0)
	add("decode: refinement map with an unknown key", cty.String, 0xc7, 5, 12, 0x82, 1, 0xc2, 9, 1)
	add("decode: refined unknown for dynamic", cty.DynamicPseudoType, 0xc7, 3, 12, 0x81, 1, 0xc2)
	add("decode: empty refinement map as a two-byte body", cty.String, 0xc7, 2, 12, 0x80, 0)
}
