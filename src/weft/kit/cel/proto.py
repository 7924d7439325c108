"""The part of CEL's checked-expression message this program reads: the field numbers of cel.expr (syntax.proto, checked.proto).

The library hands a compiled expression out in this form, and takes it back. Fields not named here survive a round trip.
"""

from typing import Any, TypeAlias

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

Message: TypeAlias = Any
"""A message of the table below: its class exists only at run time."""

_TYPE_URL = "type.googleapis.com/cel.expr.CheckedExpr"
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
    "int32": _Field.TYPE_INT32,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
}

# "name:number:type", "*" for repeated; maps are repeated entries. Messages named in _ONE_OF hold one of their fields.
_MESSAGES = {
    "CheckedExpr": "references:2:*ReferenceEntry types:3:*TypeEntry expr:4:Expr source_info:5:SourceInfo",
    "ReferenceEntry": "key:1:int64 value:2:Reference",
    "Reference": "name:1:string overload_id:3:*string",
    "TypeEntry": "key:1:int64 value:2:Type",
    "Type": (
        "dyn:1:Empty null:2:int32 primitive:3:int32 wrapper:4:int32 well_known:5:int32 list_type:6:ListType "
        "map_type:7:MapType message_type:9:string type:11:Type error:12:Empty abstract_type:14:AbstractType"
    ),
    "Empty": "",
    "ListType": "elem_type:1:Type",
    "MapType": "key_type:1:Type value_type:2:Type",
    "AbstractType": "name:1:string parameter_types:2:*Type",
    "SourceInfo": "positions:4:*Position",
    "Position": "key:1:int64 value:2:int32",
    "Expr": (
        "id:2:int64 const_expr:3:Constant ident_expr:4:Ident select_expr:5:Select call_expr:6:Call "
        "list_expr:7:CreateList struct_expr:8:CreateStruct comprehension_expr:9:Comprehension"
    ),
    "Constant": (
        "null_value:1:int32 bool_value:2:bool int64_value:3:int64 uint64_value:4:uint64 double_value:5:double "
        "string_value:6:string bytes_value:7:bytes"
    ),
    "Ident": "name:1:string",
    "Select": "operand:1:Expr field:2:string test_only:3:bool",
    "Call": "target:1:Expr function:2:string args:3:*Expr",
    "CreateList": "elements:1:*Expr optional_indices:2:*int32",
    "CreateStruct": "message_name:1:string entries:2:*Entry",
    "Entry": "id:1:int64 field_key:2:string map_key:3:Expr value:4:Expr optional_entry:5:bool",
    "Comprehension": (
        "iter_var:1:string iter_range:2:Expr accu_var:3:string accu_init:4:Expr loop_condition:5:Expr "
        "loop_step:6:Expr result:7:Expr iter_var2:8:string"
    ),
}
_ONE_OF = {"Expr", "Constant", "Type"}


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="checked.proto", package="cel", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in _ONE_OF:
            message.oneof_decl.add(name="kind")
        for text in fields.split():
            field_name, number, type_name = text.split(":")
            label = _Field.LABEL_REPEATED if type_name[0] == "*" else _Field.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=int(number), label=label)
            if scalar := _SCALARS.get(type_name.lstrip("*")):
                field.type = scalar
            else:
                field.type = _Field.TYPE_MESSAGE
                field.type_name = ".cel." + type_name.lstrip("*")
            if name in _ONE_OF and field_name != "id":
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"cel.{name}")) for name in _MESSAGES}


_CLASSES = _build()


def new(name: str, /, **fields: Any) -> Message:
    return _CLASSES[name](**fields)


def parse(serialised: bytes) -> Message:
    """The checked expression inside what the library's `serialize()` returns."""
    return _CLASSES["CheckedExpr"].FromString(any_pb2.Any.FromString(serialised).value)


def serialise(checked: Message) -> bytes:
    return any_pb2.Any(type_url=_TYPE_URL, value=checked.SerializeToString()).SerializeToString()
