from ._comparison import compare as compare
from ._cross_corpus import cross_corpus as cross_corpus
from ._evaluate import evaluate as evaluate
from ._leakage_report import LeakageReport as LeakageReport
from ._leakage_report import leakage_report as leakage_report
from ._result import Evaluation as Evaluation
