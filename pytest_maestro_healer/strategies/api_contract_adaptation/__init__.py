"""api_contract_adaptation: calls follow the contracts that changed: names, parameters, shapes, exceptions, patch targets."""

from __future__ import annotations

from pytest_maestro_healer.model import Follows
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_former import FormerBehaviour, RequiredArgument
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_hoisted import MemberOfOther
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_inserted import InsertedParameter
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_literals import PatchTarget, RenamedKey, RenamedOption
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_names import AbstractMethods, KnownMigration, Removed, RenamedSymbol
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_parameters import (
    ChangedDefault,
    ChangedParameters,
    LibraryParameters,
    ReorderedParameters,
)
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_raising import CallbackSignature, ExceptionType
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_results import BytesOrText, ListToIterator, ResultDict, ResultObject
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_shapes import MethodOrProperty, SyncOrAsync
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_unpacking import UnpackedResult
from pytest_maestro_healer.strategies.api_contract_adaptation.tactic_warnings import DeprecatedUse
from pytest_maestro_healer.strategies.base import Strategy


class ApiContractAdaptation(Strategy):
    """Migrates test code to the product's and the libraries' present contracts."""

    name = "api_contract_adaptation"
    title = "API contracts"
    summary = "Finds what became of a name, a parameter or a result that tests rely on, and migrates every call; assertions stay as they are."
    follows = Follows.PRODUCT
    tactics = (
        RenamedSymbol(),
        KnownMigration(),
        AbstractMethods(),
        DeprecatedUse(),
        ChangedParameters(),
        LibraryParameters(),
        InsertedParameter(),
        ReorderedParameters(),
        ChangedDefault(),
        RequiredArgument(),
        FormerBehaviour(),
        MethodOrProperty(),
        SyncOrAsync(),
        ListToIterator(),
        UnpackedResult(),
        MemberOfOther(),
        ResultObject(),
        ResultDict(),
        BytesOrText(),
        PatchTarget(),
        RenamedKey(),
        RenamedOption(),
        CallbackSignature(),
        ExceptionType(),
        Removed(),
    )


STRATEGY = ApiContractAdaptation()
