package config

import (
	"encoding/json"
	"reflect"
	"strings"
)

// schema is the part of JSON Schema that the file needs.
type schema struct {
	Dialect     string            `json:"$schema,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Type        []string          `json:"type,omitempty"`
	Enum        []json.RawMessage `json:"enum,omitempty"`
	Format      string            `json:"format,omitempty"`
	MinLength   int               `json:"minLength,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	Properties  *properties       `json:"properties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Additional  json.RawMessage   `json:"additionalProperties,omitempty"`
}

// properties keeps the order of the Go fields.
type properties []property

type property struct {
	name   string
	schema *schema
}

// MarshalJSON writes an object whose members stand in order.
func (p properties) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.schema)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// Schema is the JSON schema of the file, made from the Go types.
func Schema() []byte {
	s := schemaOf(reflect.TypeFor[Config](), reflect.StructField{})
	s.Dialect, s.Title = "http://json-schema.org/draft-07/schema#", Name
	s.Description = "What a repository says of its environments, its review and its rotations."
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		// Every value above is made of strings: only a mistake in this file gets here.
		panic("config: schema: " + err.Error())
	}
	return append(out, '\n')
}

// schemaOf describes a type; every value but a list's may also be null, which means
// not set.
func schemaOf(t reflect.Type, field reflect.StructField) *schema {
	s := &schema{Description: field.Tag.Get("doc")}
	switch {
	case t == reflect.TypeFor[Date]():
		s.Type, s.Format = []string{"string", "null"}, "date"
	case t.Kind() == reflect.Struct:
		s.Type, s.Additional = []string{"object", "null"}, json.RawMessage("false")
		s.Properties = &properties{}
		for _, f := range reflect.VisibleFields(t) {
			name := jsonName(f)
			if !f.IsExported() || name == "" || name == "-" {
				continue
			}
			*s.Properties = append(*s.Properties, property{name, schemaOf(f.Type, f)})
			if f.Tag.Get("required") != "" {
				s.Required = append(s.Required, name)
			}
		}
	case t.Kind() == reflect.Map:
		s.Type = []string{"object", "null"}
		element := reflect.StructField{}
		if enum := field.Tag.Get("enum"); enum != "" {
			element.Tag = reflect.StructTag(`enum:"` + enum + `"`)
		}
		if raw, err := json.Marshal(schemaOf(t.Elem(), element)); err == nil {
			s.Additional = raw
		}
	case t.Kind() == reflect.Slice:
		s.Type = []string{"array", "null"}
		s.Items = schemaOf(t.Elem(), reflect.StructField{})
		s.Items.Type = s.Items.Type[:1]
	default:
		s.text(field)
	}
	return s
}

func (s *schema) text(field reflect.StructField) {
	if enum := field.Tag.Get("enum"); enum != "" {
		for v := range strings.SplitSeq(enum, ",") {
			s.Enum = append(s.Enum, json.RawMessage(`"`+v+`"`))
			if v == "off" {
				// YAML 1.1 reads a bare off as a boolean.
				s.Enum = append(s.Enum, json.RawMessage("false"))
			}
		}
		return
	}
	s.Type = []string{"string", "null"}
	if field.Tag.Get("required") != "" {
		s.Type, s.MinLength = []string{"string"}, 1
	}
}
