package main

// The framework half of the provider: a generic resource that stores what its schema says, and the lookup.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// frameworkProvider has nested attributes in its schema only where the protocol (6) has them.
type frameworkProvider struct {
	nestedAttributes bool
}

func (p *frameworkProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "conformance"
}

func (p *frameworkProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema.Attributes = map[string]providerschema.Attribute{
		"directory": providerschema.StringAttribute{Optional: true, Description: directoryText},
	}
}

func (p *frameworkProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var directory types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("directory"), &directory)...)
	s, err := newStore(directory.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("No directory", err.Error())
		return
	}
	resp.ResourceData, resp.DataSourceData = s, s
	resp.EphemeralResourceData, resp.ListResourceData, resp.ActionData = s, s, s
}

func (p *frameworkProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource {
			return &storedResource{kind: "conformance_thing", schema: thingSchema(p.nestedAttributes)}
		},
	}
}

func (p *frameworkProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return &lookupSource{} }}
}

// storedResource keeps the planned values in a file. It fails when the engine does not return its private state, which
// holds a token under "token" that every create and update renews.
type storedResource struct {
	kind   string
	schema schema.Schema
	store  *store
}

func (r *storedResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.kind
}

func (r *storedResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.schema
}

func (r *storedResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema.Attributes = map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true},
	}
}

func (r *storedResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.store, _ = req.ProviderData.(*store)
}

func (r *storedResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("id"), path.Root("id"), req, resp)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "imported", []byte("true"))...)
}

// MoveState turns an object of the SDK's thing into one of this: the file moves with it, and only its names stay.
func (r *storedResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		if req.SourceTypeName != "conformance_sdk_thing" {
			return
		}
		var source struct{ ID, Name string }
		if err := json.Unmarshal(req.SourceRawState.JSON, &source); err != nil {
			r.fail(&resp.Diagnostics, "moving", err)
			return
		}
		resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("id"), source.ID)...)
		resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("name"), source.Name)...)
		if resp.TargetIdentity != nil {
			resp.Diagnostics.Append(resp.TargetIdentity.SetAttribute(ctx, path.Root("id"), source.ID)...)
		}
		resp.Diagnostics.Append(resp.TargetPrivate.SetKey(ctx, "moved", []byte("true"))...)
	}}}
}

// ModifyPlan makes a new password known only after apply, and crashes on request.
func (r *storedResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var crash types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("crash"), &crash)...)
	if crash.ValueString() == "plan" {
		panic("conformance: crash in plan as asked")
	}
	if req.State.Raw.IsNull() {
		return
	}
	var before, after types.Int64
	version := path.Root("password_wo_version")
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, version, &before)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, version, &after)...)
	if !before.Equal(after) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("password_digest"), types.StringUnknown())...)
	}
}

func (r *storedResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	o, err := r.wanted(ctx, req.Plan, req.Config, nil)
	if err != nil {
		r.fail(&resp.Diagnostics, "creating", err)
		return
	}
	id := o.Attributes["id"]
	o.Attributes["id"] = nil
	ctx, cancel := within(ctx, o, "create")
	defer cancel()
	err = r.store.create(ctx, o)
	if err != nil && !errors.Is(err, errPartial) {
		r.fail(&resp.Diagnostics, "creating", err)
		return
	}
	if _, free := id.(unknown); free {
		id = o.ID
	}
	o.Attributes["id"] = id
	fill(o.Attributes, nil)
	if putErr := r.store.put(o); putErr != nil {
		r.fail(&resp.Diagnostics, "creating", putErr)
		return
	}
	r.record(ctx, o, &resp.State, resp.Identity, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "token", quoted(o.Private))...)
	if err != nil {
		r.fail(&resp.Diagnostics, "creating", err)
	}
}

func (r *storedResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	id, diags := r.id(ctx, req.State)
	resp.Diagnostics.Append(diags...)
	o, err := r.store.read(ctx, r.kind, id)
	if err != nil {
		r.fail(&resp.Diagnostics, "reading", err)
		return
	}
	if o == nil {
		resp.State.RemoveResource(ctx)
		if resp.Identity != nil {
			// The framework wants an identity even for what is gone.
			resp.Diagnostics.Append(resp.Identity.SetAttribute(ctx, path.Root("id"), id)...)
		}
		return
	}
	if imported, _ := req.Private.GetKey(ctx, "imported"); string(imported) == "true" {
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, "imported", []byte("false"))...)
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, "token", quoted(o.Private))...)
	} else if err := r.returned(ctx, o, req.Private); err != nil {
		r.fail(&resp.Diagnostics, "reading", err)
		return
	}
	r.record(ctx, o, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *storedResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	id, diags := r.id(ctx, req.State)
	resp.Diagnostics.Append(diags...)
	old, err := r.store.get(r.kind, id)
	if err == nil && old == nil {
		err = fmt.Errorf("there is no %s %q to update", r.kind, id)
	}
	if err == nil {
		err = r.returned(ctx, old, req.Private)
	}
	if err != nil {
		r.fail(&resp.Diagnostics, "updating", err)
		return
	}
	o, err := r.wanted(ctx, req.Plan, req.Config, old)
	if err != nil {
		r.fail(&resp.Diagnostics, "updating", err)
		return
	}
	fill(o.Attributes, old.Attributes)
	ctx, cancel := within(ctx, o, "update")
	defer cancel()
	err = r.store.update(ctx, o)
	if err == nil || errors.Is(err, errPartial) {
		r.record(ctx, o, &resp.State, resp.Identity, &resp.Diagnostics)
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, "token", quoted(o.Private))...)
	}
	if err != nil {
		r.fail(&resp.Diagnostics, "updating", err)
	}
}

func (r *storedResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id, diags := r.id(ctx, req.State)
	resp.Diagnostics.Append(diags...)
	o, err := r.store.get(r.kind, id)
	if o != nil && err == nil {
		// The delete of a replacement gets the private state of the create's plan, which has no token after a taint.
		if token, _ := req.Private.GetKey(ctx, "token"); token != nil {
			err = r.returned(ctx, o, req.Private)
		}
		var cancel context.CancelFunc
		ctx, cancel = within(ctx, o, "delete")
		defer cancel()
	}
	if err == nil {
		err = r.store.delete(ctx, r.kind, id)
	}
	if err != nil {
		r.fail(&resp.Diagnostics, "deleting", err)
	}
}

// wanted is the object that the plan asks for, with a new token; what is unknown in the plan is still unknown in it.
func (r *storedResource) wanted(ctx context.Context, plan tfsdk.Plan, config tfsdk.Config, old *object) (*object, error) {
	kind := r.schema.Type().TerraformType(ctx)
	tree, err := toJSON(plan.Raw, kind)
	if err != nil {
		return nil, err
	}
	o := &object{Type: r.kind, Attributes: tree.(map[string]any)}
	o.Name = o.text("name")
	o.Private = newID("token")
	if old != nil {
		o.ID = old.ID
	}
	configured, err := toJSON(config.Raw, kind)
	if err != nil {
		return nil, err
	}
	if _, open := o.Attributes["password_digest"].(unknown); open {
		o.Attributes["password_digest"] = nil
		if password, ok := configured.(map[string]any)["password_wo"].(string); ok {
			o.Attributes["password_digest"] = digest(password)
		}
	}
	return o, nil
}

// record writes the object's attributes into the state, and its id into the identity.
func (r *storedResource) record(ctx context.Context, o *object, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	value, err := fromJSON(o.Attributes, r.schema.Type().TerraformType(ctx))
	if err != nil {
		r.fail(diags, "recording", err)
		return
	}
	state.Raw = value
	if identity != nil {
		diags.Append(identity.SetAttribute(ctx, path.Root("id"), o.ID)...)
	}
}

// privateState is the part of the framework's private state that this needs; its own type is in an internal package.
type privateState interface {
	GetKey(context.Context, string) ([]byte, diag.Diagnostics)
}

// returned is an error when the private state is not that of the last create or update of the object.
func (r *storedResource) returned(ctx context.Context, o *object, private privateState) error {
	token, _ := private.GetKey(ctx, "token")
	if string(token) != string(quoted(o.Private)) {
		return fmt.Errorf("private state holds the token %q, and should hold %q", token, quoted(o.Private))
	}
	return nil
}

func (r *storedResource) id(ctx context.Context, state tfsdk.State) (string, diag.Diagnostics) {
	var id types.String
	diags := state.GetAttribute(ctx, path.Root("id"), &id)
	return id.ValueString(), diags
}

func (r *storedResource) fail(diags *diag.Diagnostics, doing string, err error) {
	diags.AddError(doing+" "+r.kind, inline(err))
}

func quoted(text string) []byte {
	value, _ := json.Marshal(text)
	return value
}

// within bounds the call by the timeout that the object gives it, if any.
func within(ctx context.Context, o *object, op string) (context.Context, context.CancelFunc) {
	timeouts, _ := o.Attributes["timeouts"].(map[string]any)
	text, _ := timeouts[op].(string)
	if limit, err := time.ParseDuration(text); err == nil {
		return context.WithTimeout(ctx, limit)
	}
	return ctx, func() {}
}

// lookupSource reads an object by name, or echoes its input.
type lookupSource struct{ store *store }

func (d *lookupSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "conformance_lookup"
}

func (d *lookupSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema.Attributes = map[string]datasourceschema.Attribute{
		"type":   datasourceschema.StringAttribute{Optional: true},
		"name":   datasourceschema.StringAttribute{Optional: true},
		"input":  datasourceschema.DynamicAttribute{Optional: true},
		"output": datasourceschema.DynamicAttribute{Computed: true},
		"found":  datasourceschema.StringAttribute{Computed: true, Description: "The id of the object of that name."},
	}
}

func (d *lookupSource) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.store, _ = req.ProviderData.(*store)
}

func (d *lookupSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var kind, name types.String
	var input types.Dynamic
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("type"), &kind)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("input"), &input)...)
	found, err := lookup(d.store, kind.ValueString(), name.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("Looking up an object", err.Error())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.State.Raw = req.Config.Raw
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("output"), input)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("found"), found)...)
}

// The compiler checks here what the framework would only find at run time.
var (
	_ resource.ResourceWithConfigure     = (*storedResource)(nil)
	_ resource.ResourceWithIdentity      = (*storedResource)(nil)
	_ resource.ResourceWithImportState   = (*storedResource)(nil)
	_ resource.ResourceWithModifyPlan    = (*storedResource)(nil)
	_ resource.ResourceWithMoveState     = (*storedResource)(nil)
	_ datasource.DataSourceWithConfigure = (*lookupSource)(nil)
)
