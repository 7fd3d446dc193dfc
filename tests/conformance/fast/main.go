// Command terraform-provider-fast answers as quickly as a provider can, so that a benchmark measures the engine and
// not the provider. It serves protocol 5 as terrane/fast with one type, fast_resource, and keeps no objects.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const typeName = "fast_resource"

var objectType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"id":       tftypes.String,
	"triggers": tftypes.Map{ElementType: tftypes.String},
	"first":    tftypes.String,
	"second":   tftypes.String,
}}

func main() {
	address := "registry.terraform.io/terrane/fast"
	if err := tf5server.Serve(address, func() tfprotov5.ProviderServer { return newProvider() }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fastProvider embeds a nil interface: no engine calls what the schema does not offer.
type fastProvider struct {
	tfprotov5.ProviderServer
	next atomic.Int64
	seed string
}

func newProvider() *fastProvider {
	return &fastProvider{seed: strconv.FormatInt(time.Now().UnixNano(), 36)}
}

func (p *fastProvider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	return &tfprotov5.GetMetadataResponse{
		Resources:          []tfprotov5.ResourceMetadata{{TypeName: typeName}},
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true},
	}, nil
}

func (p *fastProvider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return &tfprotov5.GetProviderSchemaResponse{
		Provider: &tfprotov5.Schema{Block: &tfprotov5.SchemaBlock{}},
		ResourceSchemas: map[string]*tfprotov5.Schema{typeName: {Block: &tfprotov5.SchemaBlock{
			Attributes: []*tfprotov5.SchemaAttribute{
				{Name: "first", Type: tftypes.String, Optional: true},
				{Name: "id", Type: tftypes.String, Computed: true},
				{Name: "second", Type: tftypes.String, Optional: true},
				{Name: "triggers", Type: objectType.AttributeTypes["triggers"], Optional: true},
			},
		}}},
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true},
	}, nil
}

func (p *fastProvider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *fastProvider) PrepareProviderConfig(_ context.Context, req *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: req.Config}, nil
}

func (p *fastProvider) ConfigureProvider(context.Context, *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (p *fastProvider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (p *fastProvider) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *fastProvider) UpgradeResourceState(_ context.Context, req *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	state, err := req.RawState.Unmarshal(objectType)
	if err != nil {
		return nil, err
	}
	value, err := tfprotov5.NewDynamicValue(objectType, state)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &value}, err
}

func (p *fastProvider) ReadResource(_ context.Context, req *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private}, nil
}

func (p *fastProvider) PlanResourceChange(_ context.Context, req *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	resp := &tfprotov5.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate}
	if isNull(req.ProposedNewState) || bytes.Equal(req.PriorState.MsgPack, req.ProposedNewState.MsgPack) {
		return resp, nil
	}
	planned, err := members(req.ProposedNewState)
	if err != nil {
		return nil, err
	}
	if isNull(req.PriorState) {
		planned["id"] = tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
		resp.PlannedState, err = encode(planned)
		return resp, err
	}
	prior, err := members(req.PriorState)
	if err != nil {
		return nil, err
	}
	if !prior["triggers"].Equal(planned["triggers"]) {
		resp.RequiresReplace = []*tftypes.AttributePath{tftypes.NewAttributePath().WithAttributeName("triggers")}
	}
	return resp, nil
}

func (p *fastProvider) ApplyResourceChange(_ context.Context, req *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	resp := &tfprotov5.ApplyResourceChangeResponse{NewState: req.PlannedState, Private: req.PlannedPrivate}
	if isNull(req.PlannedState) || !isNull(req.PriorState) {
		return resp, nil
	}
	created, err := members(req.PlannedState)
	if err != nil {
		return nil, err
	}
	created["id"] = tftypes.NewValue(tftypes.String, p.seed+"-"+strconv.FormatInt(p.next.Add(1), 10))
	resp.NewState, err = encode(created)
	return resp, err
}

func (p *fastProvider) ImportResourceState(_ context.Context, req *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	created := map[string]tftypes.Value{}
	for name, kind := range objectType.AttributeTypes {
		created[name] = tftypes.NewValue(kind, nil)
	}
	created["id"] = tftypes.NewValue(tftypes.String, req.ID)
	state, err := encode(created)
	return &tfprotov5.ImportResourceStateResponse{
		ImportedResources: []*tfprotov5.ImportedResource{{TypeName: typeName, State: state}},
	}, err
}

// isNull knows the one way in which MessagePack says null.
func isNull(value *tfprotov5.DynamicValue) bool {
	return len(value.MsgPack) == 1 && value.MsgPack[0] == 0xc0
}

func members(value *tfprotov5.DynamicValue) (map[string]tftypes.Value, error) {
	object, err := value.Unmarshal(objectType)
	if err != nil {
		return nil, err
	}
	var attributes map[string]tftypes.Value
	err = object.As(&attributes)
	return attributes, err
}

func encode(attributes map[string]tftypes.Value) (*tfprotov5.DynamicValue, error) {
	value, err := tfprotov5.NewDynamicValue(objectType, tftypes.NewValue(objectType, attributes))
	return &value, err
}
