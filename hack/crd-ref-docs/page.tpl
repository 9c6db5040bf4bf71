{{- /*
The page: each type of ours in the order in which a reader of an Application meets it.
In crd-ref-docs the kind of a type is a number: 0 alias, 1 basic, 3 map, 4 pointer, 5 list, 6 struct.
*/ -}}
{{- define "gvList" -}}
{{- $version := first . -}}
{{- $root := $version.TypeForKind "Application" -}}
{{- $index := dict "order" list "paths" dict "package" $root.Package -}}
{{- template "collect" dict "type" $root "path" "" "index" $index -}}
# API reference

<!-- Generated from api/v1 by `make api-docs`; edit the comments there. -->

`apiVersion: {{ $version.GroupVersionString }}`, `kind: Application`, short name `appl`. What the fields do together, with an
example for each group, is in the [guide](guide.md); `kubectl explain appl.spec` has the same descriptions.

The API server writes the defaults into the object; where there is none, the description says what holds without the
field. Below a table are the rules that it cannot show, as the messages that somebody gets who breaks them: what is wrong,
and what to do.
{{ range $index.order }}
- [{{ .Name }}](#{{ lower .Name }}){{ with get $index.paths .Name }}: {{ template "paths" . }}{{ end }}
{{- end }}
{{ range $index.order }}
{{ template "type" dict "type" . "paths" (get $index.paths .Name) "package" $root.Package }}
{{- end }}
{{- end -}}

{{- /* Where in an Application a type is used. */ -}}
{{- define "paths" -}}
{{- range $i, $path := . }}{{ if $i }}, {{ end }}`{{ $path }}`{{ end -}}
{{- end -}}

{{- /* Fills index.order with our own types, each where it is first met, and index.paths with where each is used. */ -}}
{{- define "collect" -}}
{{- $index := .index -}}
{{- $path := .path -}}
{{- $type := .type -}}
{{- if eq $type.Kind 4 -}}
  {{- template "collect" dict "type" $type.UnderlyingType "path" $path "index" $index -}}
{{- else if eq $type.Kind 5 -}}
  {{- template "collect" dict "type" $type.UnderlyingType "path" (printf "%s[]" $path) "index" $index -}}
{{- else if and (eq $type.Package $index.package) (or (eq $type.Kind 6) $type.EnumValues) -}}
  {{- if not (hasKey $index.paths $type.Name) -}}
    {{- $_ := set $index "order" (append $index.order $type) -}}
    {{- $_ = set $index.paths $type.Name list -}}
  {{- end -}}
  {{- if $path -}}
    {{- $_ := set $index.paths $type.Name (append (get $index.paths $type.Name) $path) -}}
  {{- end -}}
  {{- range $type.Fields -}}
    {{- template "collect" dict "type" .Type "path" (trimPrefix "." (printf "%s.%s" $path .Name)) "index" $index -}}
  {{- end -}}
{{- end -}}
{{- end -}}
