package main

// conformance_bad: a resource straight on the protocol, with go-cty for its values, that breaks the protocol in the way
// its `mode` names. Without a mode it behaves, and checks that the engine does: private state and planned private state
// have to come back as they were sent.

import (
	"context"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	ctymsgpack "github.com/zclconf/go-cty/cty/msgpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const badThing = "conformance_bad"

// modes are the breaches, each with the call in which it happens.
var modes = map[string]string{
	"inconsistent_plan":         "plan: value is not the configured one",
	"wrong_type_plan":           "plan: an attribute is missing from the object",
	"garbage_plan":              "plan: bytes that are no MessagePack",
	"replace_path_plan":         "plan: requires_replace names an attribute that does not exist",
	"null_plan":                 "plan: null for an object that is to be",
	"inconsistent_apply":        "apply: value is not the planned one",
	"unknown_after_apply":       "apply: the computed attribute is still unknown",
	"null_after_apply":          "apply: null without an error, the object is there",
	"wrong_type_apply":          "apply: an attribute is missing from the object",
	"garbage_apply":             "apply: bytes that are no MessagePack",
	"grpc_error":                "apply: a gRPC status in place of diagnostics, the object is there",
	"hang":                      "apply: no answer until the provider is told to stop",
	"object_after_destroy":      "destroy: the object is removed, the answer still holds it",
	"wrong_type_read":           "read: an attribute is missing from the object",
	"refined":                   "none: the plan's unknowns carry refinements, and the results keep to them",
	"broken_refinement":         "apply: the result contradicts the refinement of the planned unknown",
	"warning":                   "none: each call adds a warning that points at value",
	"inconsistent_apply_legacy": "none: as inconsistent_apply, by a provider that declares the legacy type system",
	"inconsistent_plan_legacy":  "none: as inconsistent_plan, by a provider that declares the legacy type system",
	"write_only_plan":           "plan: the write-only attribute has a value",
	"write_only_plan_legacy":    "plan: the same, by a provider that declares the legacy type system",
	"write_only_apply":          "apply: the write-only attribute has a value, which is in the private state as well",
	"write_only_apply_legacy":   "apply: the same, by a provider that declares the legacy type system",
	"write_only_read":           "read: the write-only attribute has a value",
	"write_only_upgrade":        "upgrade: the write-only attribute has a value",
	"write_only_import":         "import of an object that was made so: the write-only attribute has a value",
}

// handedBack is what a write-only attribute is given in an answer.
const handedBack = "handed-back"

var badType = cty.Object(map[string]cty.Type{
	"id": cty.String, "name": cty.String, "mode": cty.String, "value": cty.String,
	"secret": cty.String, "computed": cty.String, "count_computed": cty.Number, "list_computed": cty.List(cty.String),
})

func badSchema() *tfprotov5.Schema {
	names := make([]string, 0, len(modes))
	for name := range modes {
		names = append(names, name)
	}
	sort.Strings(names)
	text := func(name string) *tfprotov5.SchemaAttribute {
		return &tfprotov5.SchemaAttribute{Name: name, Type: tftypes.String}
	}
	id, name, mode, value, computed := text("id"), text("name"), text("mode"), text("value"), text("computed")
	secret := text("secret")
	secret.Optional, secret.WriteOnly = true, true
	id.Computed, name.Required, mode.Optional, value.Optional, computed.Computed = true, true, true, true, true
	mode.Description = "One of " + strings.Join(names, ", ") + "."
	return &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{Attributes: []*tfprotov5.SchemaAttribute{
		computed,
		{Name: "count_computed", Type: tftypes.Number, Computed: true},
		id,
		{Name: "list_computed", Type: tftypes.List{ElementType: tftypes.String}, Computed: true},
		mode, name, secret, value,
	}}}
}

// rawProvider serves conformance_bad. The embedded interface is nil: mux never sends calls for what is not in the schema.
type rawProvider struct {
	tfprotov5.ProviderServer
	store *store
	stop  sync.Once
	ended chan struct{}
	ready sync.Once
}

// stopped is closed when the engine asks the provider to stop.
func (p *rawProvider) stopped() chan struct{} {
	p.ready.Do(func() { p.ended = make(chan struct{}) })
	return p.ended
}

func (p *rawProvider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	return &tfprotov5.GetMetadataResponse{
		Resources:          []tfprotov5.ResourceMetadata{{TypeName: badThing}},
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true},
	}, nil
}

func (p *rawProvider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{
		Provider: &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{Attributes: []*tfprotov5.SchemaAttribute{
			{Name: "directory", Type: tftypes.String, Optional: true, Description: directoryText},
		}}},
		ResourceSchemas:    map[string]*tfprotov5.Schema{badThing: badSchema()},
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true},
	}, nil
}

func (p *rawProvider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *rawProvider) PrepareProviderConfig(_ context.Context, req *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: req.Config}, nil
}

func (p *rawProvider) ConfigureProvider(_ context.Context, req *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	config, err := ctymsgpack.Unmarshal(req.Config.MsgPack, cty.Object(map[string]cty.Type{"directory": cty.String}))
	if err != nil {
		return nil, err
	}
	directory := ""
	if value := config.GetAttr("directory"); value.IsKnown() && !value.IsNull() {
		directory = value.AsString()
	}
	p.store, err = newStore(directory)
	return &tfprotov5.ConfigureProviderResponse{Diagnostics: problem("No directory", err)}, nil
}

func (p *rawProvider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	p.stop.Do(func() { close(p.stopped()) })
	return &tfprotov5.StopProviderResponse{}, nil
}

func (p *rawProvider) ValidateResourceTypeConfig(_ context.Context, req *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	config, err := ctymsgpack.Unmarshal(req.Config.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	resp := &tfprotov5.ValidateResourceTypeConfigResponse{}
	if mode := modeOf(config); mode != "" && modes[mode] == "" {
		resp.Diagnostics = []*tfprotov5.Diagnostic{{
			Severity:  tfprotov5.DiagnosticSeverityError,
			Summary:   "Unknown mode",
			Detail:    fmt.Sprintf("There is no mode %q.", mode),
			Attribute: tftypes.NewAttributePath().WithAttributeName("mode"),
		}}
	}
	return resp, nil
}

func (p *rawProvider) UpgradeResourceState(_ context.Context, req *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	state, err := ctyjson.Unmarshal(req.RawState.JSON, badType)
	if err != nil {
		return nil, err
	}
	if modeOf(state) == "write_only_upgrade" {
		state = with(state, "secret", cty.StringVal(handedBack))
	}
	value, err := encode(state)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: value}, err
}

func (p *rawProvider) ReadResource(ctx context.Context, req *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	state, err := ctymsgpack.Unmarshal(req.CurrentState.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	id := state.GetAttr("id").AsString()
	if err := fits(req.Private, id); err != nil && !unstored(req.Private, state) {
		return &tfprotov5.ReadResourceResponse{Diagnostics: problem("Private state", err)}, nil
	}
	o, err := p.store.read(ctx, badThing, id)
	if err != nil {
		return nil, err
	}
	resp := &tfprotov5.ReadResourceResponse{Private: []byte("read:" + id), Diagnostics: warning(state)}
	switch {
	case o == nil:
		state = cty.NullVal(badType)
	case modeOf(state) == "wrong_type_read":
		state = crippled(state)
	case modeOf(state) == "write_only_read":
		state = with(state, "secret", cty.StringVal(handedBack))
	default:
		if value, ok := o.Attributes["value"].(string); ok {
			state = with(state, "value", cty.StringVal(value))
		}
	}
	resp.NewState, err = encode(state)
	return resp, err
}

func (p *rawProvider) PlanResourceChange(_ context.Context, req *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	prior, err := ctymsgpack.Unmarshal(req.PriorState.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	planned, err := ctymsgpack.Unmarshal(req.ProposedNewState.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	if planned.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate}, nil
	}
	resp := &tfprotov5.PlanResourceChangeResponse{Diagnostics: warning(planned)}
	mode := modeOf(planned)
	if prior.IsNull() {
		computed, count, list := cty.UnknownVal(cty.String), cty.UnknownVal(cty.Number), cty.UnknownVal(cty.List(cty.String))
		if mode == "refined" || mode == "broken_refinement" {
			computed = computed.Refine().NotNull().StringPrefixFull("computed-").NewValue()
			count = count.Refine().NotNull().NumberRangeInclusive(cty.Zero, cty.NumberIntVal(10)).NewValue()
			list = list.Refine().NotNull().CollectionLengthLowerBound(1).CollectionLengthUpperBound(3).NewValue()
		}
		planned = with(planned, "id", cty.UnknownVal(cty.String).RefineNotNull())
		planned = with(with(with(planned, "computed", computed), "count_computed", count), "list_computed", list)
	} else {
		id := prior.GetAttr("id").AsString()
		if err := fits(req.PriorPrivate, id); err != nil {
			resp.Diagnostics = problem("Private state", err)
			return resp, nil
		}
		if !prior.GetAttr("name").RawEquals(planned.GetAttr("name")) {
			resp.RequiresReplace = []*tftypes.AttributePath{tftypes.NewAttributePath().WithAttributeName("name")}
		}
	}
	switch mode {
	case "inconsistent_plan", "inconsistent_plan_legacy":
		planned = with(planned, "value", cty.StringVal("not what was configured"))
	case "wrong_type_plan":
		planned = crippled(planned)
	case "null_plan":
		planned = cty.NullVal(badType)
	case "write_only_plan", "write_only_plan_legacy":
		planned = with(planned, "secret", cty.StringVal(handedBack))
	case "replace_path_plan":
		resp.RequiresReplace = []*tftypes.AttributePath{tftypes.NewAttributePath().WithAttributeName("absent")}
	}
	resp.UnsafeToUseLegacyTypeSystem = strings.HasSuffix(mode, "_legacy")
	resp.PlannedState, err = encode(planned)
	if mode == "garbage_plan" {
		resp.PlannedState.MsgPack = []byte{0xc1}
	}
	resp.PlannedPrivate = plannedPrivate(resp.PlannedState)
	return resp, err
}

// plannedPrivate binds private state to the planned one, so that apply notices an engine that mixes them up.
func plannedPrivate(planned *tfprotov5.DynamicValue) []byte {
	return []byte("planned:" + digest(string(planned.MsgPack)))
}

func (p *rawProvider) ApplyResourceChange(ctx context.Context, req *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	prior, err := ctymsgpack.Unmarshal(req.PriorState.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	planned, err := ctymsgpack.Unmarshal(req.PlannedState.MsgPack, badType)
	if err != nil {
		return nil, err
	}
	if planned.IsNull() {
		return p.destroy(ctx, req, prior)
	}
	// The engine may have filled in what was unknown in the plan, but the private state is that of its last plan.
	if !strings.HasPrefix(string(req.PlannedPrivate), "planned:") {
		failed := problem("Planned private state", fmt.Errorf("got %q", req.PlannedPrivate))
		return &tfprotov5.ApplyResourceChangeResponse{NewState: req.PriorState, Private: req.PlannedPrivate, Diagnostics: failed}, nil
	}
	mode := modeOf(planned)
	if mode == "hang" {
		select {
		case <-p.stopped():
		case <-ctx.Done():
		}
		return &tfprotov5.ApplyResourceChangeResponse{
			NewState: req.PriorState, Private: req.PlannedPrivate, Diagnostics: problem("Stopped", fmt.Errorf("told to stop")),
		}, nil
	}
	o := &object{Type: badThing, Name: planned.GetAttr("name").AsString(), Attributes: map[string]any{"mode": mode}}
	if value := planned.GetAttr("value"); !value.IsNull() {
		o.Attributes["value"] = value.AsString()
	}
	if prior.IsNull() {
		err = p.store.create(ctx, o)
	} else {
		o.ID = prior.GetAttr("id").AsString()
		err = p.store.update(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	state := with(planned, "id", cty.StringVal(o.ID))
	if prior.IsNull() {
		state = with(state, "computed", cty.StringVal("computed-"+o.ID))
		state = with(state, "count_computed", cty.NumberVal(new(big.Float).SetInt64(1)))
		state = with(state, "list_computed", cty.ListVal([]cty.Value{cty.StringVal("only")}))
	}
	switch mode {
	case "inconsistent_apply", "inconsistent_apply_legacy":
		state = with(state, "value", cty.StringVal("not what was planned"))
	case "unknown_after_apply":
		state = with(state, "computed", cty.UnknownVal(cty.String))
	case "broken_refinement":
		state = with(state, "computed", cty.StringVal("without the promised prefix"))
	case "null_after_apply":
		state = cty.NullVal(badType)
	case "write_only_apply", "write_only_apply_legacy":
		state = with(state, "secret", cty.StringVal(handedBack))
	case "wrong_type_apply":
		state = crippled(state)
	case "grpc_error":
		return nil, status.Error(codes.Internal, "conformance: a status in place of diagnostics, as asked")
	}
	resp := &tfprotov5.ApplyResourceChangeResponse{
		Private:                     []byte("applied:" + o.ID),
		Diagnostics:                 warning(planned),
		UnsafeToUseLegacyTypeSystem: strings.HasSuffix(mode, "_legacy"),
	}
	if strings.HasPrefix(mode, "write_only_apply") {
		resp.Private = []byte("applied:" + handedBack)
	}
	resp.NewState, err = encode(state)
	if mode == "garbage_apply" {
		resp.NewState.MsgPack = []byte{0xc1}
	}
	return resp, err
}

func (p *rawProvider) destroy(ctx context.Context, req *tfprotov5.ApplyResourceChangeRequest, prior cty.Value) (*tfprotov5.ApplyResourceChangeResponse, error) {
	id := prior.GetAttr("id").AsString()
	// The delete of a replacement gets the private state of the create's plan.
	replaced := strings.HasPrefix(string(req.PlannedPrivate), "planned:")
	if err := fits(req.PlannedPrivate, id); err != nil && !replaced && !unstored(req.PlannedPrivate, prior) {
		return &tfprotov5.ApplyResourceChangeResponse{NewState: req.PriorState, Private: req.PlannedPrivate, Diagnostics: problem("Private state", err)}, nil
	}
	if err := p.store.delete(ctx, badThing, id); err != nil {
		return nil, err
	}
	resp := &tfprotov5.ApplyResourceChangeResponse{NewState: req.PlannedState, Diagnostics: warning(prior)}
	if modeOf(prior) == "object_after_destroy" {
		resp.NewState = req.PriorState
	}
	return resp, nil
}

func (p *rawProvider) ImportResourceState(_ context.Context, req *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	o, err := p.store.get(badThing, req.ID)
	if err != nil || o == nil {
		return &tfprotov5.ImportResourceStateResponse{Diagnostics: problem("No such object", fmt.Errorf("%q: %v", req.ID, err))}, nil
	}
	state := cty.NullVal(badType)
	attributes := map[string]cty.Value{}
	for name, kind := range state.Type().AttributeTypes() {
		attributes[name] = cty.NullVal(kind)
	}
	attributes["id"], attributes["name"] = cty.StringVal(o.ID), cty.StringVal(o.Name)
	if o.Attributes["mode"] == "write_only_import" {
		attributes["secret"] = cty.StringVal(handedBack)
	}
	value, err := encode(cty.ObjectVal(attributes))
	return &tfprotov5.ImportResourceStateResponse{ImportedResources: []*tfprotov5.ImportedResource{
		{TypeName: badThing, State: value, Private: []byte("applied:" + o.ID)},
	}}, err
}

// fits is an error unless the private state is one that apply or read gave for that object.
func fits(private []byte, id string) error {
	if got := string(private); got != "applied:"+id && got != "read:"+id {
		return fmt.Errorf("got %q, not what apply or read gave for %q", got, id)
	}
	return nil
}

// unstored says whether there is no private state because that of an answer with a write-only value is not stored either.
func unstored(private []byte, object cty.Value) bool {
	return strings.HasPrefix(modeOf(object), "write_only_apply") && len(private) == 0
}

func modeOf(value cty.Value) string {
	if value.IsNull() {
		return ""
	}
	mode := value.GetAttr("mode")
	if !mode.IsKnown() || mode.IsNull() {
		return ""
	}
	return mode.AsString()
}

func with(object cty.Value, name string, value cty.Value) cty.Value {
	attributes := object.AsValueMap()
	attributes[name] = value
	return cty.ObjectVal(attributes)
}

// crippled is the object without one of the attributes that its type has.
func crippled(object cty.Value) cty.Value {
	attributes := object.AsValueMap()
	delete(attributes, "computed")
	return cty.ObjectVal(attributes)
}

func encode(value cty.Value) (*tfprotov5.DynamicValue, error) {
	bytes, err := ctymsgpack.Marshal(value, value.Type())
	return &tfprotov5.DynamicValue{MsgPack: bytes}, err
}

func problem(summary string, err error) []*tfprotov5.Diagnostic {
	if err == nil {
		return nil
	}
	return []*tfprotov5.Diagnostic{{Severity: tfprotov5.DiagnosticSeverityError, Summary: summary, Detail: inline(err)}}
}

func warning(value cty.Value) []*tfprotov5.Diagnostic {
	if modeOf(value) != "warning" {
		return nil
	}
	return []*tfprotov5.Diagnostic{{
		Severity:  tfprotov5.DiagnosticSeverityWarning,
		Summary:   "A warning, as asked",
		Detail:    "It points at value.",
		Attribute: tftypes.NewAttributePath().WithAttributeName("value"),
	}}
}
