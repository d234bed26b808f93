"""Portfolio optimization, management and risk management, researched and run by the same code

Whatever a policy, a study or a book is made of can be imported from here, as in

    from portfolio_research import Policy, Optimize, Monthly, MaxDrawdownStop, load_market, walk_forward

A name is looked up in its module when it is first used, so that importing the package costs nothing.
"""
__version__ = "0.2.0"

TYPE_CHECKING = False  # what typing.TYPE_CHECKING is, without importing typing
if TYPE_CHECKING:
    from .core import Flag as Flag, PortfolioResearchError as PortfolioResearchError
    from .protocols import (
        Basis as Basis, Allocator as Allocator, Trigger as Trigger, Sleeve as Sleeve, Overlay as Overlay,
        DrawdownRule as DrawdownRule)
    from .data.market import Market as Market
    from .data.sources import load_market as load_market
    from .metrics.metric import Metric as Metric
    from .metrics.metrics import (
        metric as metric, metric_table as metric_table, evaluate as evaluate, rolling as rolling,
        format_metrics as format_metrics)
    from .validation.lookahead import (
        LookAheadError as LookAheadError, NotReproducibleError as NotReproducibleError, assert_causal as
        assert_causal)
    from .execution.triggers import (
        Daily as Daily, Weekly as Weekly, Monthly as Monthly, Quarterly as Quarterly, HalfYearly as
        HalfYearly, Yearly as Yearly, MonthEnd as MonthEnd, Every as Every, Never as Never, DriftBand as
        DriftBand, WhenFlow as WhenFlow)
    from .execution.moves import Rebalance as Rebalance
    from .execution.orders import (
        Orders as Orders, Fees as Fees, ib_basket as ib_basket, orders_csv as orders_csv, orders_json as
        orders_json, read_fills as read_fills, match_fills as match_fills)
    from .execution.costs import Costs as Costs, SquareRoot as SquareRoot
    from .execution.ledger import Margin as Margin
    from .execution.audit import audit_books as audit_books
    from .execution.tax_lots import Taxes as Taxes, after_tax as after_tax, harvest as harvest
    from .execution.flows import (
        Contribution as Contribution, Withdraw as Withdraw, run_flows as run_flows, modified_dietz as
        modified_dietz)
    from .execution.money import money_weighted as money_weighted
    from .estimation.trailing import Trailing as Trailing
    from .estimation.estimates import Expected as Expected, ScenarioSet as ScenarioSet
    from .optimization.steering import TargetBased as TargetBased, VariableBased as VariableBased
    from .optimization.objectives import (
        Minimize as Minimize, Maximize as Maximize, Target as Target, Growth as Growth, Income as Income,
        RiskControl as RiskControl, TaxEfficiency as TaxEfficiency, parse_objective as parse_objective)
    from .optimization.allocation import Allocation as Allocation
    from .optimization.allocators import (
        EqualWeight as EqualWeight, InverseVolatility as InverseVolatility, MinimumVariance as
        MinimumVariance, RiskParity as RiskParity, HierarchicalRiskParity as HierarchicalRiskParity,
        HierarchicalEqualRisk as HierarchicalEqualRisk, NestedClusters as NestedClusters,
        MaximumDiversification as MaximumDiversification, Kelly as Kelly, Optimize as Optimize,
        BlackLitterman as BlackLitterman)
    from .management.metric_triggers import WhenMetric as WhenMetric, WhenTrackingError as WhenTrackingError
    from .management.no_trade_band import NoTradeBand as NoTradeBand
    from .management.strategies import (
        strategy as strategy, Strategy as Strategy, FunctionStrategy as FunctionStrategy, Crossover as
        Crossover, Momentum as Momentum, Reversion as Reversion, LowVolatility as LowVolatility)
    from .management.trade_limits import TradeLimits as TradeLimits, Limited as Limited
    from .management.strategy_library import (
        TimeSeriesMomentum as TimeSeriesMomentum, LongShortMomentum as LongShortMomentum, Donchian as
        Donchian, DualMomentum as DualMomentum, Bollinger as Bollinger, RSIReversion as RSIReversion,
        ResidualReversion as ResidualReversion, BettingAgainstBeta as BettingAgainstBeta, Carry as Carry)
    from .management.diversification import Diversify as Diversify
    from .management.concentration import (
        Limits as Limits, exposure as exposure, concentration as concentration)
    from .management.monitoring import Mandate as Mandate, Monitor as Monitor, monitor as monitor
    from .management.fragility import Fragility as Fragility
    from .management.regimes import (
        StatisticalRegime as StatisticalRegime, HMMRegime as HMMRegime, JumpRegime as JumpRegime, Consensus
        as Consensus, plot_regimes as plot_regimes)
    from .management.horizon_regimes import HorizonRegime as HorizonRegime, TwoSpeed as TwoSpeed
    from .management.regime_overlay import MatchRegime as MatchRegime, LearnedTable as LearnedTable
    from .risk.stop_loss import (
        Recover as Recover, NewHigh as NewHigh, After as After, AboveAverage as AboveAverage, NoReentry as
        NoReentry, MaxDrawdownStop as MaxDrawdownStop)
    from .risk.moving_average import MovingAverageRule as MovingAverageRule
    from .risk.autocorrelation import AutocorrelationRule as AutocorrelationRule
    from .risk.regime_rules import HMMRule as HMMRule, JumpRule as JumpRule
    from .risk.exposure_scaling import (
        VolatilityTarget as VolatilityTarget, GrossmanZhou as GrossmanZhou, CPPI as CPPI)
    from .risk.placement import (
        Placement as Placement, per_strategy as per_strategy, whole_portfolio as whole_portfolio, both as
        both)
    from .risk.rule import plot_rule as plot_rule
    from .policy.tax_efficiency import (
        harvest_losses as harvest_losses, Harvested as Harvested, tax_cost as tax_cost, tax_efficient as
        tax_efficient)
    from .policy.decisions import Decision as Decision, Decisions as Decisions
    from .policy.policy import Policy as Policy
    from .policy.walkforward import (
        Study as Study, Comparison as Comparison, walk_forward as walk_forward, compare as compare)
    from .experiments.sweeps import sweep as sweep
    from .experiments.sensitivity import sensitivity as sensitivity
    from .experiments.stress import stress as stress, StressLimit as StressLimit
    from .experiments.tuning import tune as tune, Tuned as Tuned, effective_trials as effective_trials
    from .reporting.tear_sheet import Report as Report, tear_sheet as tear_sheet
    from .reporting.attribution import (
        layers as layers, link as link, contributions as contributions, Brinson as Brinson, brinson as
        brinson, brinson_of as brinson_of)
    from .reporting.risk_decomposition import decompose_risk as decompose_risk
    from .live.share_account import WholeShares as WholeShares
    from .live.book import Book as Book
    from .live.consolidation import Books as Books
    from .studies.placement_study import (
        study_placements as study_placements, PlacementStudy as PlacementStudy, Stream as Stream,
        stream_policy as stream_policy, exits as exits)
    from .studies.placement_prediction import (
        stream_facts as stream_facts, predict_placement as predict_placement)
    from .settings import Settings as Settings, read_settings as read_settings

_MODULES = {  # module -> its names that stand here
    "core": "Flag PortfolioResearchError",
    "protocols": "Basis Allocator Trigger Sleeve Overlay DrawdownRule",
    "data.market": "Market",
    "data.sources": "load_market",
    "metrics.metric": "Metric",
    "metrics.metrics": "metric metric_table evaluate rolling format_metrics",
    "validation.lookahead": "LookAheadError NotReproducibleError assert_causal",
    "execution.triggers": "Daily Weekly Monthly Quarterly HalfYearly Yearly MonthEnd Every Never DriftBand WhenFlow",
    "execution.moves": "Rebalance",
    "execution.orders": "Orders Fees ib_basket orders_csv orders_json read_fills match_fills",
    "execution.costs": "Costs SquareRoot",
    "execution.ledger": "Margin",
    "execution.audit": "audit_books",
    "execution.tax_lots": "Taxes after_tax harvest",
    "execution.flows": "Contribution Withdraw run_flows modified_dietz",
    "execution.money": "money_weighted",
    "estimation.trailing": "Trailing",
    "estimation.estimates": "Expected ScenarioSet",
    "optimization.steering": "TargetBased VariableBased",
    "optimization.objectives": "Minimize Maximize Target Growth Income RiskControl TaxEfficiency parse_objective",
    "optimization.allocation": "Allocation",
    "optimization.allocators": "EqualWeight InverseVolatility MinimumVariance RiskParity HierarchicalRiskParity "
        "HierarchicalEqualRisk NestedClusters MaximumDiversification Kelly Optimize "
        "BlackLitterman",
    "management.metric_triggers": "WhenMetric WhenTrackingError",
    "management.no_trade_band": "NoTradeBand",
    "management.strategies": "strategy Strategy FunctionStrategy Crossover Momentum Reversion LowVolatility",
    "management.trade_limits": "TradeLimits Limited",
    "management.strategy_library": "TimeSeriesMomentum LongShortMomentum Donchian DualMomentum Bollinger RSIReversion "
        "ResidualReversion BettingAgainstBeta Carry",
    "management.diversification": "Diversify",
    "management.concentration": "Limits exposure concentration",
    "management.monitoring": "Mandate Monitor monitor",
    "management.fragility": "Fragility",
    "management.regimes": "StatisticalRegime HMMRegime JumpRegime Consensus plot_regimes",
    "management.horizon_regimes": "HorizonRegime TwoSpeed",
    "management.regime_overlay": "MatchRegime LearnedTable",
    "risk.stop_loss": "Recover NewHigh After AboveAverage NoReentry MaxDrawdownStop",
    "risk.moving_average": "MovingAverageRule",
    "risk.autocorrelation": "AutocorrelationRule",
    "risk.regime_rules": "HMMRule JumpRule",
    "risk.exposure_scaling": "VolatilityTarget GrossmanZhou CPPI",
    "risk.placement": "Placement per_strategy whole_portfolio both",
    "risk.rule": "plot_rule",
    "policy.tax_efficiency": "harvest_losses Harvested tax_cost tax_efficient",
    "policy.decisions": "Decision Decisions",
    "policy.policy": "Policy",
    "policy.walkforward": "Study Comparison walk_forward compare",
    "experiments.sweeps": "sweep",
    "experiments.sensitivity": "sensitivity",
    "experiments.stress": "stress StressLimit",
    "experiments.tuning": "tune Tuned effective_trials",
    "reporting.tear_sheet": "Report tear_sheet",
    "reporting.attribution": "layers link contributions Brinson brinson brinson_of",
    "reporting.risk_decomposition": "decompose_risk",
    "live.share_account": "WholeShares",
    "live.book": "Book",
    "live.consolidation": "Books",
    "studies.placement_study": "study_placements PlacementStudy Stream stream_policy exits",
    "studies.placement_prediction": "stream_facts predict_placement",
    "settings": "Settings read_settings",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}
__all__ = [*_MODULE_OF]  # noqa: PLE0604


def __getattr__(name: str):
    "A name of the package, from its module."
    if name not in _MODULE_OF: raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    "The names of the package, for completion."
    return sorted({*globals(), *__all__})
