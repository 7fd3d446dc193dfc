package main

// conformance_thing: what framework resources bring that SDKv2 ones do not. Plan modifiers, defaults, exact numbers,
// dynamic and object attributes, write-only attributes, and (in protocol 6) nested attributes of every nesting.

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func thingSchema(nestedAttributes bool) schema.Schema {
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replace := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	s := schema.Schema{
		Attributes: map[string]schema.Attribute{
			"id":      schema.StringAttribute{Computed: true, PlanModifiers: keep},
			"name":    schema.StringAttribute{Required: true, PlanModifiers: replace},
			"size":    schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(10)},
			"label":   schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: keep},
			"enabled": schema.BoolAttribute{Optional: true},
			"ratio":   schema.Float64Attribute{Optional: true},
			"amount":  schema.NumberAttribute{Optional: true},
			"tags":    schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"zones":   schema.SetAttribute{Optional: true, ElementType: types.StringType},
			"ports":   schema.ListAttribute{Optional: true, ElementType: types.Int64Type},
			"endpoint": schema.ObjectAttribute{Optional: true, AttributeTypes: map[string]attr.Type{
				"host": types.StringType, "port": types.Int64Type,
			}},
			"anything":            schema.DynamicAttribute{Optional: true},
			"secret":              schema.StringAttribute{Optional: true, Sensitive: true},
			"password_wo":         schema.StringAttribute{Optional: true, WriteOnly: true},
			"password_wo_version": schema.Int64Attribute{Optional: true},
			"password_digest":     schema.StringAttribute{Computed: true, PlanModifiers: keep},
			"arn":                 schema.StringAttribute{Computed: true, PlanModifiers: keep},
			"revision": schema.Int64Attribute{
				Computed: true, Description: "One more at each update, and unknown until then.",
			},
		},
		Blocks: map[string]schema.Block{
			"rule": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
				"port":    schema.Int64Attribute{Required: true},
				"cidr":    schema.StringAttribute{Optional: true},
				"rule_id": schema.StringAttribute{Computed: true},
			}}},
			"disk": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
				"size":    schema.Int64Attribute{Required: true},
				"medium":  schema.StringAttribute{Optional: true, PlanModifiers: replace},
				"disk_id": schema.StringAttribute{Computed: true, PlanModifiers: keep},
			}}},
		},
	}
	for name, description := range knobs {
		s.Attributes[name] = schema.StringAttribute{Optional: true, Description: description}
	}
	timeouts := map[string]schema.Attribute{}
	for _, op := range []string{"create", "update", "delete"} {
		timeouts[op] = schema.StringAttribute{Optional: true}
	}
	if !nestedAttributes {
		s.Blocks["timeouts"] = schema.SingleNestedBlock{Attributes: timeouts}
		return s
	}
	s.Attributes["timeouts"] = schema.SingleNestedAttribute{Optional: true, Attributes: timeouts}
	s.Attributes["single"] = schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{
		"kind":   schema.StringAttribute{Optional: true, PlanModifiers: replace},
		"size":   schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(1)},
		"secret": schema.StringAttribute{Optional: true, Sensitive: true},
		"arn":    schema.StringAttribute{Computed: true},
		"inner": schema.ListNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{
			Attributes: member(),
		}},
	}}
	s.Attributes["chosen"] = schema.SingleNestedAttribute{
		Optional: true, Computed: true, Description: "Filled by the provider when it is not written.",
		Attributes: map[string]schema.Attribute{
			"zone": schema.StringAttribute{Optional: true, Computed: true},
			"rank": schema.Int64Attribute{Computed: true},
		},
	}
	object := schema.NestedAttributeObject{Attributes: member()}
	s.Attributes["list"] = schema.ListNestedAttribute{Optional: true, NestedObject: object}
	s.Attributes["set"] = schema.SetNestedAttribute{Optional: true, NestedObject: object}
	s.Attributes["map"] = schema.MapNestedAttribute{Optional: true, NestedObject: object}
	return s
}

// member is what an element of a nested list, set or map has.
func member() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"port":      schema.Int64Attribute{Required: true},
		"note":      schema.StringAttribute{Optional: true},
		"member_id": schema.StringAttribute{Computed: true},
	}
}
