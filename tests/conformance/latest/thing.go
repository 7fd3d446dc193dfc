package main

// latest_thing and latest_lookup, call by call.

import (
	"os"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"google.golang.org/protobuf/encoding/protowire"
)

const thing, lookup = "latest_thing", "latest_lookup"

var methods = map[string]func(fields) message{
	"/tfplugin6.Provider/GetProviderSchema":          schema,
	"/tfplugin6.Provider/GetResourceIdentitySchemas": identitySchemas,
	"/tfplugin6.Provider/ValidateProviderConfig":     nothing,
	"/tfplugin6.Provider/ConfigureProvider":          nothing,
	"/tfplugin6.Provider/ValidateResourceConfig":     nothing,
	"/tfplugin6.Provider/ValidateDataResourceConfig": nothing,
	"/tfplugin6.Provider/UpgradeResourceState":       upgrade,
	"/tfplugin6.Provider/UpgradeResourceIdentity":    upgradeIdentity,
	"/tfplugin6.Provider/ReadResource":               read,
	"/tfplugin6.Provider/PlanResourceChange":         plan,
	"/tfplugin6.Provider/ApplyResourceChange":        apply,
	"/tfplugin6.Provider/ImportResourceState":        imported,
	"/tfplugin6.Provider/ReadDataSource":             readData,
	"/tfplugin6.Provider/StopProvider":               nothing,
}

var (
	ruleType  = cty.Object(map[string]cty.Type{"port": cty.Number, "note": cty.String})
	thingType = cty.Object(map[string]cty.Type{
		"id": cty.String, "name": cty.String, "until": cty.String, "identity": cty.String,
		"meta": cty.String, "history": cty.String, "rule": cty.List(ruleType),
	})
	lookupType   = cty.Object(map[string]cty.Type{"name": cty.String, "until": cty.String, "meta": cty.String, "found": cty.String})
	metaType     = cty.Object(map[string]cty.Type{"module": cty.String, "parts": cty.List(cty.String)})
	identityType = cty.Object(map[string]cty.Type{"number": cty.Number, "main": cty.Bool, "names": cty.List(cty.String)})
)

func nothing(fields) message { return nil }

const required, optional, computed = 4, 5, 6

func attribute(name, kind string, flags ...protowire.Number) message {
	made := message{}.text(1, name).text(2, kind)
	for _, flag := range flags {
		made = made.flag(flag)
	}
	return made
}

func block(parts ...message) message {
	made := message{}
	for _, part := range parts {
		made = made.bytes(2, part)
	}
	return made
}

func schemaOf(block message) message { return message{}.bytes(2, block) }

func schema(fields) message {
	rule := block(attribute("port", `"number"`, required), attribute("note", `"string"`, optional, computed)).flag(8)
	const list = 2
	things := block(
		attribute("id", `"string"`, computed), attribute("name", `"string"`, required),
		attribute("until", `"string"`, optional), attribute("identity", `"string"`, optional),
		attribute("meta", `"string"`, computed), attribute("history", `"string"`, computed),
	).bytes(3, message{}.text(1, "rule").bytes(2, rule).number(3, list))
	lookups := block(
		attribute("name", `"string"`, required), attribute("until", `"string"`, optional),
		attribute("meta", `"string"`, computed), attribute("found", `"string"`, computed),
	)
	return message{}.
		bytes(1, schemaOf(block(attribute("directory", `"string"`, optional)))).
		entry(2, thing, schemaOf(things)).
		entry(3, lookup, schemaOf(lookups)).
		bytes(5, schemaOf(block(attribute("module", `"string"`, optional), attribute("parts", `["list","string"]`, optional)))).
		bytes(6, message{}.flag(2))
}

func identitySchemas(fields) message {
	const requiredForImport, optionalForImport = 3, 4
	return message{}.entry(1, thing, message{}.
		bytes(2, attribute("number", `"number"`, requiredForImport)).
		bytes(2, attribute("main", `"bool"`, requiredForImport)).
		bytes(2, attribute("names", `["list","string"]`, optionalForImport)))
}

// identityOf is what the thing asks for: none at all, one of nulls, or one without a string in it.
func identityOf(object cty.Value) message {
	identity := cty.ObjectVal(map[string]cty.Value{
		"number": cty.NumberIntVal(7), "main": cty.True, "names": cty.ListVal([]cty.Value{object.GetAttr("name")}),
	})
	switch wish(object, "identity") {
	case "missing":
		return nil
	case "null":
		identity = cty.ObjectVal(map[string]cty.Value{
			"number": cty.NullVal(cty.Number), "main": cty.NullVal(cty.Bool), "names": cty.NullVal(cty.List(cty.String)),
		})
	}
	return message{}.value(1, identity, identityType)
}

func (m message) identity(number protowire.Number, object cty.Value) message {
	if identity := identityOf(object); identity != nil {
		return m.bytes(number, identity)
	}
	return m
}

// deferred is set while the file that `until` names does not exist.
func (m message) deferred(number protowire.Number, object cty.Value, allowed bool, problems protowire.Number) message {
	until := wish(object, "until")
	if until == "" {
		return m
	}
	if _, err := os.Stat(until); err == nil {
		return m
	}
	if !allowed {
		return m.problem(problems, "it has to be put off, and that is not allowed")
	}
	const absentPrerequisite = 3
	return m.bytes(number, message{}.number(1, absentPrerequisite))
}

func wish(object cty.Value, name string) string {
	if object.IsNull() || !object.GetAttr(name).IsKnown() || object.GetAttr(name).IsNull() {
		return ""
	}
	return object.GetAttr(name).AsString()
}

// module is what the program said about itself; `absent` where the field was left out, `null` where it holds no module.
func module(request fields, number protowire.Number) cty.Value {
	if request[number].bytes == nil {
		return cty.StringVal("absent")
	}
	meta := request.value(number, metaType)
	if meta.IsNull() || meta.GetAttr("module").IsNull() {
		return cty.StringVal("null")
	}
	said := []string{meta.GetAttr("module").AsString()}
	if parts := meta.GetAttr("parts"); !parts.IsNull() {
		for _, part := range parts.AsValueSlice() {
			said = append(said, part.AsString())
		}
	}
	return cty.StringVal(strings.Join(said, " "))
}

func upgrade(request fields) message {
	state := fromJSON(request.message(3)[1].bytes, thingType)
	return message{}.value(1, state, thingType)
}

func upgradeIdentity(request fields) message {
	identity := fromJSON(request.message(3)[1].bytes, identityType)
	return message{}.bytes(1, message{}.value(1, identity, identityType))
}

func read(request fields) message {
	object := request.value(2, thingType)
	// A read that puts itself off answers what it was asked about.
	return message{}.value(1, object, thingType).bytes(3, request[3].bytes).
		deferred(4, object, request.message(5).flag(1), 2).identity(5, object)
}

// plan fills in two rules where none are written, and passes on the private state of the plan that was shown.
func plan(request fields) message {
	proposed, prior := request.value(3, thingType), request.value(2, thingType)
	if proposed.IsNull() {
		return message{}.value(1, proposed, thingType)
	}
	config := request.value(4, thingType)
	members := proposed.AsValueMap()
	if prior.IsNull() {
		members["id"] = cty.UnknownVal(cty.String)
		members["history"] = cty.UnknownVal(cty.String)
		members["meta"] = cty.UnknownVal(cty.String)
	}
	if rules := config.GetAttr("rule"); rules.IsNull() && prior.IsNull() {
		if !request.message(7).flag(4) {
			return message{}.problem(4, "computed blocks are not allowed")
		}
		members["rule"] = cty.ListVal([]cty.Value{filledIn(80), filledIn(443)})
	} else if !rules.IsNull() && rules.IsKnown() && prior.IsNull() {
		members["rule"] = noted(rules)
	}
	private := "planned"
	if shown := request.text(9); shown != "" {
		private = shown + ", planned again"
	}
	planned := cty.ObjectVal(members)
	return message{}.value(1, planned, thingType).text(3, private).
		deferred(6, planned, request.message(7).flag(1), 4)
}

func filledIn(port int64) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"port": cty.NumberIntVal(port), "note": cty.StringVal("filled in")})
}

// noted gives the rules that are written their computed notes.
func noted(rules cty.Value) cty.Value {
	made := []cty.Value{}
	for _, rule := range rules.AsValueSlice() {
		members := rule.AsValueMap()
		if members["note"].IsNull() {
			members["note"] = cty.StringVal("written")
		}
		made = append(made, cty.ObjectVal(members))
	}
	if len(made) == 0 {
		return rules
	}
	return cty.ListVal(made)
}

func apply(request fields) message {
	planned := request.value(3, thingType)
	if planned.IsNull() {
		return message{}.value(1, planned, thingType)
	}
	members := planned.AsValueMap()
	for name, made := range map[string]cty.Value{
		"id":      cty.StringVal("thing-" + wish(planned, "name")),
		"meta":    module(request, 6),
		"history": cty.StringVal(request.text(5)),
	} {
		if !members[name].IsKnown() {
			members[name] = made
		}
	}
	object := cty.ObjectVal(members)
	return message{}.value(1, object, thingType).text(2, "applied").identity(5, object)
}

// imported takes an id or an identity for the name; an id of the form `PATH!NAME` is put off until there is a file there.
func imported(request fields) message {
	id := request.text(2)
	until, name, put := strings.Cut(id, "!")
	if !put {
		until, name = "", id
	}
	if identity := request.message(4).value(1, identityType); !identity.IsNull() {
		name = identity.GetAttr("names").AsValueSlice()[0].AsString()
	}
	members := map[string]cty.Value{}
	for attribute, kind := range thingType.AttributeTypes() {
		members[attribute] = cty.NullVal(kind)
	}
	members["id"], members["name"] = cty.StringVal("thing-"+name), cty.StringVal(name)
	object := cty.ObjectVal(members)
	members["until"] = cty.StringVal(until)
	found := message{}.text(1, thing).value(2, object, thingType).text(3, "applied").identity(4, object)
	return message{}.bytes(1, found).deferred(3, cty.ObjectVal(members), request.message(3).flag(1), 2)
}

func readData(request fields) message {
	members := request.value(2, lookupType).AsValueMap()
	members["meta"] = module(request, 3)
	members["found"] = cty.StringVal("thing-" + members["name"].AsString())
	object := cty.ObjectVal(members)
	return message{}.value(1, object, lookupType).deferred(3, object, request.message(4).flag(1), 2)
}
