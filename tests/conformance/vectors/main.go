// Command cty-vectors is go-cty as a judge of another implementation of its value encoding.
//
// Without arguments it prints test vectors, one JSON object a line:
//
//	{"note": what it shows, "type": type JSON, "msgpack": hex, "value_json": the value in the state's JSON form, or null
//	where it has none because something in it is unknown or infinite; "round_trip": hex, only when decoding the MessagePack
//	and encoding it again gives other bytes}
//
// With the argument "check" it reads {"type", "msgpack"} or {"type", "json"} lines and answers each with
// {"msgpack": hex, "json": …, "error": text or ""}: the value as go-cty decodes and encodes it.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	ctymsgpack "github.com/zclconf/go-cty/cty/msgpack"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 1:
		err = printVectors()
	case len(os.Args) == 2 && os.Args[1] == "check":
		err = check()
	default:
		err = fmt.Errorf("usage: cty-vectors [check]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type printed struct {
	Note      string          `json:"note"`
	Type      json.RawMessage `json:"type"`
	MsgPack   string          `json:"msgpack"`
	ValueJSON json.RawMessage `json:"value_json"`
	RoundTrip string          `json:"round_trip,omitempty"`
}

func printVectors() error {
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, vector := range vectors() {
		kind, err := ctyjson.MarshalType(vector.kind)
		if err != nil {
			return fmt.Errorf("%s: %w", vector.note, err)
		}
		bytes := vector.bytes
		if bytes == nil {
			if bytes, err = ctymsgpack.Marshal(vector.value, vector.kind); err != nil {
				return fmt.Errorf("%s: %w", vector.note, err)
			}
		}
		decoded, err := ctymsgpack.Unmarshal(bytes, vector.kind)
		if err != nil {
			return fmt.Errorf("%s: decoding: %w", vector.note, err)
		}
		again, err := ctymsgpack.Marshal(decoded, vector.kind)
		if err != nil {
			return fmt.Errorf("%s: encoding again: %w", vector.note, err)
		}
		line := printed{Note: vector.note, Type: kind, MsgPack: hex.EncodeToString(bytes), ValueJSON: json.RawMessage("null")}
		if text := valueJSON(decoded, vector.kind); text != nil {
			line.ValueJSON = text
		}
		if string(again) != string(bytes) {
			line.RoundTrip = hex.EncodeToString(again)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// valueJSON is nil where the value has no JSON form.
func valueJSON(value cty.Value, kind cty.Type) (text json.RawMessage) {
	// go-cty's JSON encoder panics on infinities in place of returning an error.
	defer func() {
		if recover() != nil {
			text = nil
		}
	}()
	bytes, err := ctyjson.Marshal(value, kind)
	if err != nil || !json.Valid(bytes) {
		return nil
	}
	return bytes
}

type question struct {
	Type    json.RawMessage `json:"type"`
	MsgPack *string         `json:"msgpack"`
	JSON    json.RawMessage `json:"json"`
}

type answer struct {
	MsgPack string          `json:"msgpack"`
	JSON    json.RawMessage `json:"json"`
	Error   string          `json:"error"`
}

// check answers each line at once, so that the other side can hold a conversation.
func check() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return out.Flush()
		}
		reply := answer{JSON: json.RawMessage("null")}
		if err := reply.fill(line); err != nil {
			reply.Error = err.Error()
		}
		if err := lines.Encode(reply); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func (a *answer) fill(line []byte) (err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("go-cty panics: %v", trouble)
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return err
	}
	kind, err := ctyjson.UnmarshalType(q.Type)
	if err != nil {
		return err
	}
	var value cty.Value
	if q.MsgPack != nil {
		bytes, err := hex.DecodeString(*q.MsgPack)
		if err != nil {
			return err
		}
		if value, err = ctymsgpack.Unmarshal(bytes, kind); err != nil {
			return err
		}
	} else if value, err = ctyjson.Unmarshal(q.JSON, kind); err != nil {
		return err
	}
	again, err := ctymsgpack.Marshal(value, kind)
	if err != nil {
		return err
	}
	a.MsgPack = hex.EncodeToString(again)
	if text := valueJSON(value, kind); text != nil {
		a.JSON = text
	}
	return nil
}
