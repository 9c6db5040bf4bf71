{{- /* One type: what it is, where it is used, its fields or values, and its rules. */ -}}
{{- define "type" -}}
{{- $type := .type -}}
{{- $package := .package -}}
## {{ $type.Name }}

{{ template "text" $type.Doc }}
{{- if .paths }}

Used at {{ template "paths" .paths }}.
{{- end }}
{{- if $type.EnumValues }}

| Value | Description |
|---|---|
{{- range $type.EnumValues }}
| `{{ .Name }}` | {{ template "text" (regexReplaceAll "^[A-Za-z]+ " .Doc "") }} |
{{- end }}
{{- end }}
{{- if $type.Fields }}

| Field | Type | Default | Limits | Description |
|---|---|---|---|---|
{{- if $type.GVK }}
| `apiVersion` | string | | required | `{{ $type.GVK.Group }}/{{ $type.GVK.Version }}` |
| `kind` | string | | required | `{{ $type.GVK.Kind }}` |
{{- end }}
{{- range $type.Fields }}
| `{{ .Name }}` | {{ template "typeName" dict "type" .Type "package" $package -}}
  {{- "" }} | {{ with .Default }}`{{ . }}`{{ end }} | {{ template "limits" . }} | {{ template "text" .Doc }} |
{{- end }}
{{- end }}
{{- template "rules" . }}
{{ if eq $type.Name "ApplicationStatus" }}
The meaning of each condition, and all reasons, are in the [guide](guide.md#conditions-and-reasons).
{{ end }}
{{- end -}}

{{- /* A comment of the source, on one line and fit for a table. */ -}}
{{- define "text" -}}
{{- regexReplaceAll "([|*{}<>])" (. | trim | replace "\n\n" "<br>" | replace "\n" " ") "\\${1}" | replace "\\<br\\>" "<br>" -}}
{{- end -}}

{{- /* A type as users see it: by its form in YAML, with a link to what it consists of. */ -}}
{{- define "typeName" -}}
{{- $type := .type -}}
{{- $package := .package -}}
{{- if eq $type.Kind 4 -}}
  {{- template "typeName" dict "type" $type.UnderlyingType "package" $package -}}
{{- else if eq $type.Kind 5 -}}
  list of {{ template "typeNames" dict "type" $type.UnderlyingType "package" $package -}}
{{- else if eq $type.Kind 3 -}}
  map of {{ template "typeNames" dict "type" $type.ValueType "package" $package -}}
{{- else if eq $type.Name "IntOrString" -}}
  integer or string
{{- else if $type.IsBasic -}}
  {{- markdownRenderType $type -}}
{{- else if and $type.IsAlias (ne $type.Package $package) $type.UnderlyingType.IsBasic -}}
  {{- /* An enum of Kubernetes, which its reference does not list. */ -}}
  {{- markdownRenderType $type.UnderlyingType -}}
{{- else if and $type.IsAlias (not $type.EnumValues) (eq $type.Package $package) -}}
  {{- template "typeName" dict "type" $type.UnderlyingType "package" $package -}}
{{- else -}}
  {{- /* The reference of Kubernetes has Quantity elsewhere than crd-ref-docs believes. */ -}}
  {{- markdownRenderType $type | replace "#quantity-resource-api" "#quantity-resource-core" -}}
{{- end -}}
{{- end -}}

{{- define "typeNames" -}}
{{- template "typeName" . -}}{{- if .type.IsBasic -}}s{{- end -}}
{{- end -}}
