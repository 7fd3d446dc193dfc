package main

// Values of the framework to JSON and back, by type alone, so that one resource implementation serves every schema.

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// unknown stands for an unknown value in a tree of JSON values, until fill replaces it.
type unknown struct{ kind tftypes.Type }

// toJSON gives the tree of JSON values: nil, bool, string, json.Number, []any, map[string]any and unknown. A dynamic
// value is {"type":…,"value":…}.
func toJSON(value tftypes.Value, kind tftypes.Type) (any, error) {
	if kind.Is(tftypes.DynamicPseudoType) && value.IsKnown() && !value.IsNull() {
		text, err := value.Type().MarshalJSON() //nolint:staticcheck // the only way to the type's JSON form
		if err != nil {
			return nil, err
		}
		inner, err := toJSON(value, value.Type())
		return map[string]any{"type": json.RawMessage(text), "value": inner}, err
	}
	if !value.IsKnown() {
		return unknown{kind}, nil
	}
	if value.IsNull() {
		return nil, nil
	}
	switch kind := kind.(type) {
	case tftypes.List, tftypes.Set, tftypes.Tuple:
		var members []tftypes.Value
		if err := value.As(&members); err != nil {
			return nil, err
		}
		list := make([]any, len(members))
		for i, member := range members {
			var err error
			if list[i], err = toJSON(member, elementType(kind, i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	case tftypes.Map, tftypes.Object:
		var members map[string]tftypes.Value
		if err := value.As(&members); err != nil {
			return nil, err
		}
		tree := make(map[string]any, len(members))
		for name, member := range members {
			var err error
			if tree[name], err = toJSON(member, memberType(kind, name)); err != nil {
				return nil, err
			}
		}
		return tree, nil
	}
	switch {
	case kind.Is(tftypes.String):
		var text string
		err := value.As(&text)
		return text, err
	case kind.Is(tftypes.Bool):
		var truth bool
		err := value.As(&truth)
		return truth, err
	default:
		var number big.Float
		if err := value.As(&number); err != nil {
			return nil, err
		}
		// At 512 bits the shortest text is exact for every number of less precision as well.
		return json.Number(new(big.Float).SetPrec(512).Set(&number).Text('f', -1)), nil
	}
}

// fromJSON is the inverse of toJSON; a member that the tree lacks is null.
func fromJSON(tree any, kind tftypes.Type) (tftypes.Value, error) {
	if tree == nil {
		return tftypes.NewValue(kind, nil), nil
	}
	wrong := fmt.Errorf("%v is no %s", tree, kind)
	if kind.Is(tftypes.DynamicPseudoType) {
		pair, ok := tree.(map[string]any)
		if !ok {
			return tftypes.Value{}, wrong
		}
		text, err := json.Marshal(pair["type"])
		if err != nil {
			return tftypes.Value{}, err
		}
		inner, err := tftypes.ParseJSONType(text) //nolint:staticcheck // as above
		if err != nil {
			return tftypes.Value{}, err
		}
		return fromJSON(pair["value"], inner)
	}
	switch kind := kind.(type) {
	case tftypes.List, tftypes.Set, tftypes.Tuple:
		list, ok := tree.([]any)
		if !ok {
			return tftypes.Value{}, wrong
		}
		members := make([]tftypes.Value, len(list))
		for i, member := range list {
			var err error
			if members[i], err = fromJSON(member, elementType(kind, i)); err != nil {
				return tftypes.Value{}, err
			}
		}
		return tftypes.NewValue(kind, members), nil
	case tftypes.Map:
		object, ok := tree.(map[string]any)
		if !ok {
			return tftypes.Value{}, wrong
		}
		members := make(map[string]tftypes.Value, len(object))
		for name, member := range object {
			var err error
			if members[name], err = fromJSON(member, kind.ElementType); err != nil {
				return tftypes.Value{}, err
			}
		}
		return tftypes.NewValue(kind, members), nil
	case tftypes.Object:
		object, ok := tree.(map[string]any)
		if !ok {
			return tftypes.Value{}, wrong
		}
		members := make(map[string]tftypes.Value, len(kind.AttributeTypes))
		for name, attribute := range kind.AttributeTypes {
			var err error
			if members[name], err = fromJSON(object[name], attribute); err != nil {
				return tftypes.Value{}, err
			}
		}
		return tftypes.NewValue(kind, members), nil
	}
	if number, ok := tree.(json.Number); ok && kind.Is(tftypes.Number) {
		float, _, err := big.ParseFloat(number.String(), 10, 512, big.ToNearestEven)
		if err != nil {
			return tftypes.Value{}, err
		}
		return tftypes.NewValue(kind, float), nil
	}
	if err := tftypes.ValidateValue(kind, tree); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(kind, tree), nil
}

func elementType(kind tftypes.Type, index int) tftypes.Type {
	switch kind := kind.(type) {
	case tftypes.List:
		return kind.ElementType
	case tftypes.Set:
		return kind.ElementType
	case tftypes.Tuple:
		return kind.ElementTypes[index]
	}
	return tftypes.DynamicPseudoType
}

func memberType(kind tftypes.Type, name string) tftypes.Type {
	switch kind := kind.(type) {
	case tftypes.Map:
		return kind.ElementType
	case tftypes.Object:
		return kind.AttributeTypes[name]
	}
	return tftypes.DynamicPseudoType
}

// fill replaces what is unknown in an object's tree: a string by its name and a digest of the known members beside it,
// a number by one more than it was before, everything else by nothing.
func fill(members, prior map[string]any) {
	seed := seedOf(members)
	for name, member := range members {
		members[name] = filled(member, prior[name], name, seed)
	}
}

func filled(value, prior any, name, seed string) any {
	switch value := value.(type) {
	case unknown:
		return invented(value.kind, prior, name, seed)
	case map[string]any:
		before, _ := prior.(map[string]any)
		fill(value, before)
	case []any:
		for i, member := range value {
			value[i] = filled(member, nil, name, seed)
		}
	}
	return value
}

func invented(kind tftypes.Type, prior any, name, seed string) any {
	switch {
	case kind.Is(tftypes.String):
		return name + "-" + seed
	case kind.Is(tftypes.Number):
		before, _ := prior.(json.Number)
		count, _ := before.Int64()
		return json.Number(fmt.Sprint(count + 1))
	case kind.Is(tftypes.Bool):
		return false
	case kind.Is(tftypes.Map{}):
		return map[string]any{}
	case kind.Is(tftypes.List{}), kind.Is(tftypes.Set{}):
		return []any{}
	case kind.Is(tftypes.Object{}):
		members := map[string]any{}
		for member, kind := range kind.(tftypes.Object).AttributeTypes {
			members[member] = unknown{kind}
		}
		fill(members, nil)
		return members
	}
	return nil
}

// seedOf is a digest of the known scalar members.
func seedOf(members map[string]any) string {
	known := map[string]any{}
	for name, member := range members {
		switch member.(type) {
		case unknown, map[string]any, []any:
		default:
			known[name] = member
		}
	}
	text, _ := json.Marshal(known)
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(text))
}
