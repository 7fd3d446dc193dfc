package main

// What the provider has beside resources and data sources, on the framework: a function, an ephemeral resource, a list
// of things, an action.

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	ephemeralschema "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func (p *frameworkProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{func() function.Function { return joinFunction{} }}
}

func (p *frameworkProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return &secretResource{} }}
}

func (p *frameworkProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{func() list.ListResource { return &thingList{} }}
}

func (p *frameworkProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{func() action.Action { return &noteAction{} }}
}

// joinFunction joins its parts, and refuses an empty separator.
type joinFunction struct{}

func (joinFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "join"
}

func (joinFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Parameters:        []function.Parameter{function.StringParameter{Name: "separator"}},
		VariadicParameter: function.StringParameter{Name: "parts", AllowNullValue: true},
		Return:            function.StringReturn{},
	}
}

func (joinFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var separator string
	var given []*string
	resp.Error = req.Arguments.Get(ctx, &separator, &given)
	if resp.Error != nil {
		return
	}
	if separator == "" {
		resp.Error = function.NewArgumentFuncError(0, "the separator is empty")
		return
	}
	parts := []string{}
	for _, part := range given {
		if part != nil {
			parts = append(parts, *part)
		}
	}
	resp.Error = resp.Result.Set(ctx, strings.Join(parts, separator))
}

// secretResource gives another value each time it is opened. `renew` makes it due for renewal at once, and once only. Its
// private state counts its renewals, and both are in the ledger.
type secretResource struct{ store *store }

func (s *secretResource) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "conformance_secret"
}

func (s *secretResource) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = ephemeralschema.Schema{Attributes: map[string]ephemeralschema.Attribute{
		"name":  ephemeralschema.StringAttribute{Required: true},
		"renew": ephemeralschema.BoolAttribute{Optional: true},
		"value": ephemeralschema.StringAttribute{Computed: true, Sensitive: true},
	}}
}

func (s *secretResource) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	s.store, _ = req.ProviderData.(*store)
}

func (s *secretResource) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var name types.String
	var renew types.Bool
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("renew"), &renew)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.Result.SetAttribute(ctx, path.Root("name"), name)...)
	resp.Diagnostics.Append(resp.Result.SetAttribute(ctx, path.Root("renew"), renew)...)
	resp.Diagnostics.Append(resp.Result.SetAttribute(ctx, path.Root("value"), newID("secret"))...)
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "name", quoted(name.ValueString()))...)
	if renew.ValueBool() {
		resp.RenewAt = time.Now()
	}
	s.note("open", name.ValueString())
}

func (s *secretResource) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	name, diags := req.Private.GetKey(ctx, "name")
	resp.Diagnostics.Append(diags...)
	s.note("renew", strings.Trim(string(name), `"`))
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "renewed", []byte("true"))...)
}

func (s *secretResource) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	name, diags := req.Private.GetKey(ctx, "name")
	resp.Diagnostics.Append(diags...)
	op := "close"
	if renewed, _ := req.Private.GetKey(ctx, "renewed"); renewed != nil {
		op = "close renewed"
	}
	s.note(op, strings.Trim(string(name), `"`))
}

func (s *secretResource) note(op, name string) {
	s.store.note(op, &object{Type: "conformance_secret", Name: name})
}

// thingList lists the things whose names begin with `prefix`, by name.
type thingList struct{ store *store }

func (l *thingList) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "conformance_thing"
}

func (l *thingList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{Attributes: map[string]listschema.Attribute{
		"prefix": listschema.StringAttribute{Optional: true},
	}}
}

func (l *thingList) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	l.store, _ = req.ProviderData.(*store)
}

func (l *thingList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var prefix types.String
	if diags := req.Config.GetAttribute(ctx, path.Root("prefix"), &prefix); diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	found, err := l.store.all("conformance_thing")
	sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
	stream.Results = func(push func(list.ListResult) bool) {
		for _, o := range found {
			if !strings.HasPrefix(o.Name, prefix.ValueString()) {
				continue
			}
			result := req.NewListResult(ctx)
			result.DisplayName = o.Name
			result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root("id"), o.ID)...)
			if req.IncludeResource {
				value, err := fromJSON(o.Attributes, req.ResourceSchema.Type().TerraformType(ctx))
				if err != nil {
					result.Diagnostics.AddError("Listing", err.Error())
				}
				result.Resource.Raw = value
			}
			if !push(result) {
				return
			}
		}
		if err != nil {
			result := req.NewListResult(ctx)
			result.Diagnostics.AddError("Listing", err.Error())
			push(result)
		}
	}
}

// noteAction writes its text into the ledger, says so, and fails on request.
type noteAction struct{ store *store }

func (a *noteAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "conformance_note"
}

func (a *noteAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = actionschema.Schema{Attributes: map[string]actionschema.Attribute{
		"text":  actionschema.StringAttribute{Required: true},
		"fails": actionschema.StringAttribute{Optional: true},
		"crash": actionschema.BoolAttribute{Optional: true},
	}}
}

func (a *noteAction) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	a.store, _ = req.ProviderData.(*store)
}

func (a *noteAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var text, fails types.String
	var crash types.Bool
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("text"), &text)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("fails"), &fails)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("crash"), &crash)...)
	if resp.Diagnostics.HasError() {
		return
	}
	a.store.note("invoke", &object{Type: "conformance_note", Name: text.ValueString()})
	for step := 1; step <= 2; step++ {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf("%s, step %d", text.ValueString(), step)})
	}
	if crash.ValueBool() {
		panic("crash in the middle of an action, as asked")
	}
	if !fails.IsNull() {
		resp.Diagnostics.AddError("Noting", fails.ValueString())
	}
}

// The compiler checks here what the framework would only find at run time.
var (
	_ provider.ProviderWithFunctions           = (*frameworkProvider)(nil)
	_ provider.ProviderWithEphemeralResources  = (*frameworkProvider)(nil)
	_ provider.ProviderWithListResources       = (*frameworkProvider)(nil)
	_ provider.ProviderWithActions             = (*frameworkProvider)(nil)
	_ ephemeral.EphemeralResourceWithConfigure = (*secretResource)(nil)
	_ ephemeral.EphemeralResourceWithRenew     = (*secretResource)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*secretResource)(nil)
	_ list.ListResourceWithConfigure           = (*thingList)(nil)
	_ action.ActionWithConfigure               = (*noteAction)(nil)
)
