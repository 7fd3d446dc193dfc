package main

// Messages as fields by number, and values as DynamicValue.

import (
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	ctymsgpack "github.com/zclconf/go-cty/cty/msgpack"
	"google.golang.org/protobuf/encoding/protowire"
)

// fields are those of a received message; of a repeated one the last.
type fields map[protowire.Number]field

type field struct {
	bytes  []byte
	number uint64
}

func parse(data []byte) fields {
	read := fields{}
	for len(data) > 0 {
		number, kind, length := protowire.ConsumeTag(data)
		must(protowire.ParseError(min(length, 0)))
		data = data[length:]
		var value field
		switch kind {
		case protowire.VarintType:
			value.number, length = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			value.bytes, length = protowire.ConsumeBytes(data)
		default:
			length = protowire.ConsumeFieldValue(number, kind, data)
		}
		must(protowire.ParseError(min(length, 0)))
		read[number] = value
		data = data[length:]
	}
	return read
}

func (f fields) text(number protowire.Number) string { return string(f[number].bytes) }

func (f fields) flag(number protowire.Number) bool { return f[number].number != 0 }

func (f fields) message(number protowire.Number) fields { return parse(f[number].bytes) }

// value is a DynamicValue; null where there is none.
func (f fields) value(number protowire.Number, kind cty.Type) cty.Value {
	packed := f.message(number)[1].bytes
	if packed == nil {
		return cty.NullVal(kind)
	}
	value, err := ctymsgpack.Unmarshal(packed, kind)
	must(err)
	return value
}

// message is one that is being written.
type message []byte

func (m message) bytes(number protowire.Number, data []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, number, protowire.BytesType), data)
}

func (m message) text(number protowire.Number, text string) message {
	return m.bytes(number, []byte(text))
}

func (m message) number(number protowire.Number, value uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), value)
}

func (m message) flag(number protowire.Number) message { return m.number(number, 1) }

func (m message) value(number protowire.Number, value cty.Value, kind cty.Type) message {
	packed, err := ctymsgpack.Marshal(value, kind)
	must(err)
	return m.bytes(number, message{}.bytes(1, packed))
}

// entry is one of a map from strings to messages.
func (m message) entry(number protowire.Number, key string, value message) message {
	return m.bytes(number, message{}.text(1, key).bytes(2, value))
}

// problem is an error among the diagnostics.
func (m message) problem(number protowire.Number, summary string) message {
	return m.bytes(number, message{}.number(1, 1).text(2, summary))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fromJSON is a value as the state has it.
func fromJSON(text []byte, kind cty.Type) cty.Value {
	value, err := ctyjson.Unmarshal(text, kind)
	must(err)
	return value
}
