package main

// conformance_sdk_thing: what SDKv2 resources do to an engine. Defaults and zero values, sets of nested blocks with
// computed members, attributes as blocks, an Optional+Computed block, suppressed differences, a StateFunc, a state
// upgrade, replacement forced by CustomizeDiff, and results that only the legacy tolerance lets pass.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/go-cty/cty"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

const sdkThing = "conformance_sdk_thing"

func sdkProvider() *schema.Provider {
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"directory": {Type: schema.TypeString, Optional: true, Description: directoryText},
		},
		ResourcesMap:   map[string]*schema.Resource{sdkThing: sdkThingResource()},
		DataSourcesMap: map[string]*schema.Resource{"conformance_sdk_lookup": sdkLookupSource()},
		ConfigureContextFunc: func(_ context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
			s, err := newStore(d.Get("directory").(string))
			return s, diag.FromErr(err)
		},
	}
}

const directoryText = "The folder that holds the objects and the ledger; CONFORMANCE_DIRECTORY when not set."

func sdkThingResource() *schema.Resource {
	text := func() *schema.Schema { return &schema.Schema{Type: schema.TypeString, Optional: true} }
	number := func() *schema.Schema { return &schema.Schema{Type: schema.TypeInt, Optional: true} }
	attributes := map[string]*schema.Schema{
		"name":    {Type: schema.TypeString, Required: true, ForceNew: true},
		"kind":    text(),
		"size":    number(),
		"ratio":   {Type: schema.TypeFloat, Optional: true},
		"enabled": {Type: schema.TypeBool, Optional: true, Default: true},
		"label":   {Type: schema.TypeString, Optional: true, Computed: true},
		"tags":    {Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
		"zones":   {Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
		"secret":  {Type: schema.TypeString, Optional: true, Sensitive: true},
		"code": {
			Type: schema.TypeString, Optional: true,
			Description: "Stored in lower case, whatever case it is written in.",
			StateFunc:   func(value any) string { return strings.ToLower(value.(string)) },
		},
		"policy": {
			Type: schema.TypeString, Optional: true,
			Description:      "JSON; a text that says the same is no difference.",
			DiffSuppressFunc: func(_, old, new string, _ *schema.ResourceData) bool { return sameJSON(old, new) },
		},
		"password_wo":         {Type: schema.TypeString, Optional: true, WriteOnly: true},
		"password_wo_version": number(),
		"password_digest":     {Type: schema.TypeString, Computed: true},
		"rule": {
			Type: schema.TypeSet, Optional: true,
			Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"port":    {Type: schema.TypeInt, Required: true},
				"cidr":    text(),
				"rule_id": {Type: schema.TypeString, Computed: true},
			}},
		},
		"disk": {
			Type: schema.TypeList, Optional: true, MaxItems: 1,
			Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"size":   {Type: schema.TypeInt, Required: true},
				"medium": {Type: schema.TypeString, Optional: true, Default: "ssd"},
			}},
		},
		"placement": {
			Type: schema.TypeList, Optional: true, Computed: true, MaxItems: 1,
			Description: "A block that the provider fills when it is not written.",
			Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"zone": {Type: schema.TypeString, Optional: true, Computed: true},
			}},
		},
		"ingress": {
			Type: schema.TypeList, Optional: true, Computed: true, ConfigMode: schema.SchemaConfigModeAttr,
			Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"port":        number(),
				"cidr":        text(),
				"description": text(),
			}},
		},
		"arn": {Type: schema.TypeString, Computed: true},
		"revision": {
			Type: schema.TypeInt, Computed: true,
			Description: "Counts updates without having said so in the plan: legal only for a legacy provider.",
		},
	}
	for name, description := range knobs {
		attributes[name] = &schema.Schema{Type: schema.TypeString, Optional: true, Description: description}
	}
	minute := schema.DefaultTimeout(time.Minute)
	return &schema.Resource{
		Schema:        attributes,
		SchemaVersion: 1,
		StateUpgraders: []schema.StateUpgrader{{
			Version: 0,
			Type:    cty.Object(map[string]cty.Type{"id": cty.String, "name": cty.String, "title": cty.String}),
			Upgrade: func(_ context.Context, state map[string]any, _ any) (map[string]any, error) {
				state["label"] = state["title"]
				delete(state, "title")
				return state, nil
			},
		}},
		Timeouts:      &schema.ResourceTimeout{Create: minute, Read: minute, Update: minute, Delete: minute},
		CustomizeDiff: sdkThingPlan,
		CreateContext: sdkThingCreate,
		ReadContext:   sdkThingRead,
		UpdateContext: sdkThingUpdate,
		DeleteContext: sdkThingDelete,
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
	}
}

func sameJSON(left, right string) bool {
	var l, r any
	if json.Unmarshal([]byte(left), &l) != nil || json.Unmarshal([]byte(right), &r) != nil {
		return false
	}
	return reflect.DeepEqual(l, r)
}

// sdkThingPlan forces a new object when kind changes, and says what the label will be where it can be known.
func sdkThingPlan(_ context.Context, d *schema.ResourceDiff, _ any) error {
	if d.Get("crash") == "plan" {
		panic("conformance: crash in plan as asked")
	}
	if d.Id() != "" && d.HasChange("kind") {
		if err := d.ForceNew("kind"); err != nil {
			return err
		}
	}
	if d.Id() != "" && d.HasChange("password_wo_version") {
		return d.SetNewComputed("password_digest")
	}
	return nil
}

// sdkThingObject is the object that the planned values ask for. A set is stored as the list of its elements.
func sdkThingObject(d *schema.ResourceData) *object {
	attributes := map[string]any{}
	for name, attribute := range sdkThingResource().Schema {
		if attribute.WriteOnly {
			continue
		}
		value := d.Get(name)
		if set, ok := value.(*schema.Set); ok {
			value = set.List()
		}
		attributes[name] = value
	}
	// The plan held what StateFunc made of it, but Get gives the text as it was written.
	attributes["code"] = strings.ToLower(d.Get("code").(string))
	if attributes["label"] == "" {
		attributes["label"] = "label of " + d.Get("name").(string)
	}
	if rules, ok := attributes["rule"].([]any); ok {
		for _, rule := range rules {
			rule := rule.(map[string]any)
			rule["rule_id"] = fmt.Sprintf("rule-%08x", crc32.ChecksumIEEE(fmt.Appendf(nil, "%v %v", rule["port"], rule["cidr"])))
		}
	}
	if placement, ok := attributes["placement"].([]any); !ok || len(placement) == 0 || placement[0] == nil {
		attributes["placement"] = []any{map[string]any{"zone": "zone-a"}}
	} else if member := placement[0].(map[string]any); member["zone"] == "" {
		member["zone"] = "zone-a"
	}
	password, _ := d.GetRawConfigAt(cty.GetAttrPath("password_wo"))
	if password.IsKnown() && !password.IsNull() && password.Type() == cty.String {
		attributes["password_digest"] = digest(password.AsString())
	}
	return &object{Type: sdkThing, ID: d.Id(), Name: d.Get("name").(string), Attributes: attributes}
}

func digest(secret string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(secret)))
}

// sdkThingStore writes the attributes of the object into the state.
func sdkThingStore(d *schema.ResourceData, o *object) diag.Diagnostics {
	for name, attribute := range sdkThingResource().Schema {
		if attribute.WriteOnly {
			continue
		}
		if err := d.Set(name, o.Attributes[name]); err != nil {
			return diag.FromErr(err)
		}
	}
	return nil
}

func sdkThingCreate(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	o := sdkThingObject(d)
	o.Attributes["revision"] = 1
	err := meta.(*store).create(ctx, o)
	if err != nil && !errors.Is(err, errPartial) {
		return diag.Errorf("creating %s: %s", sdkThing, inline(err))
	}
	d.SetId(o.ID)
	o.Attributes["arn"] = "arn:conformance:" + o.ID
	if putErr := meta.(*store).put(o); putErr != nil {
		return diag.FromErr(putErr)
	}
	if err != nil {
		return diag.Errorf("creating %s (%s): %s", sdkThing, o.ID, inline(err))
	}
	return sdkThingStore(d, o)
}

func sdkThingRead(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	o, err := meta.(*store).read(ctx, sdkThing, d.Id())
	if err != nil {
		return diag.Errorf("reading %s (%s): %s", sdkThing, d.Id(), inline(err))
	}
	if o == nil {
		d.SetId("")
		return nil
	}
	return sdkThingStore(d, o)
}

func sdkThingUpdate(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	o := sdkThingObject(d)
	o.Attributes["revision"] = d.Get("revision").(int) + 1
	if err := meta.(*store).update(ctx, o); err != nil {
		// Without Partial the SDK would record the wanted values as if they were there.
		d.Partial(!errors.Is(err, errPartial))
		return diag.Errorf("updating %s (%s): %s", sdkThing, d.Id(), inline(err))
	}
	return sdkThingStore(d, o)
}

func sdkThingDelete(ctx context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
	if err := meta.(*store).delete(ctx, sdkThing, d.Id()); err != nil {
		return diag.Errorf("deleting %s (%s): %s", sdkThing, d.Id(), inline(err))
	}
	return nil
}

// sdkLookupSource reads an object by name, or echoes its input.
func sdkLookupSource() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"type":   {Type: schema.TypeString, Optional: true},
			"name":   {Type: schema.TypeString, Optional: true},
			"input":  {Type: schema.TypeString, Optional: true},
			"output": {Type: schema.TypeString, Computed: true},
			"found":  {Type: schema.TypeString, Computed: true, Description: "The id of the object of that name."},
		},
		ReadContext: func(_ context.Context, d *schema.ResourceData, meta any) diag.Diagnostics {
			found, err := lookup(meta.(*store), d.Get("type").(string), d.Get("name").(string))
			if err != nil {
				return diag.FromErr(err)
			}
			d.SetId("lookup")
			return diag.FromErr(errors.Join(d.Set("output", d.Get("input")), d.Set("found", found)))
		},
	}
}

// lookup gives the id of the object of that name; "" without a name; an error when there is none.
func lookup(s *store, kind, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	o, err := s.find(kind, name)
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", fmt.Errorf("there is no object named %q", name)
	}
	return o.ID, nil
}
