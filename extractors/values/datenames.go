package values

// names are how the dates of a language are written: what Unicode CLDR lists, and
// the forms that sites use beside it. Case and diacritics do not count.
type names struct {
	// months are twelve groups of names, cases and abbreviations, with | between.
	months string
	// weekdays are their names, which say nothing that the rest does not.
	weekdays string
	// ignored are other words and endings that say nothing: "den", "1er", "года".
	ignored string
	// hour, minute and second are words behind the numbers of a time: 14 Uhr, 14h30,
	// 14時30分. at are words before a time with a full stop in it: kl. 14.30.
	hour, minute, second, at string
	// morning and afternoon are the halves of a clock of twelve hours.
	morning, afternoon string
	// year, month and day are words behind the numbers of a date: 2026年3月5日.
	year, month, day string
	// ahead are words before a month's number: tháng 3.
	ahead string
	// order is that of a date in numbers: dmy, mdy or ymd.
	order string
	// joined languages have no spaces between words.
	joined bool
}

// languageNames are the names of dates, by language. Where a language does without
// a field of its own the text is a date all the same, by numbers.
var languageNames = map[string]names{
	"en": {
		months:   "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct|november nov|december dec",
		weekdays: "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun",
		ignored:  "on at of the st nd rd th", morning: "am", afternoon: "pm", order: "mdy",
	},
	"de": {
		months:   "januar jänner jan jän|februar feber feb|märz mär mrz|april apr|mai|juni jun|juli jul|august aug|september sep sept|oktober okt|november nov|dezember dez",
		weekdays: "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so",
		ignored:  "am den der dem vom um ab", hour: "uhr", order: "dmy",
	},
	"fr": {
		months:   "janvier janv jan|février févr fév|mars|avril avr|mai|juin|juillet juil|août|septembre sept sep|octobre oct|novembre nov|décembre déc",
		weekdays: "lundi lun mardi mar mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim",
		ignored:  "le du à er", hour: "h heure heures", minute: "min", order: "dmy",
	},
	"es": {
		months:   "enero ene|febrero feb|marzo mar|abril abr|mayo may|junio jun|julio jul|agosto ago|septiembre setiembre sept sep set|octubre oct|noviembre nov|diciembre dic",
		weekdays: "lunes lun martes mar miércoles mié jueves jue viernes vie sábado sáb domingo dom",
		ignored:  "de del el a las la o", hour: "h hrs", morning: "am", afternoon: "pm", order: "dmy",
	},
	"it": {
		months:   "gennaio gen genn|febbraio feb febbr|marzo mar|aprile apr|maggio mag|giugno giu|luglio lug|agosto ago|settembre set sett|ottobre ott|novembre nov|dicembre dic",
		weekdays: "lunedì lun martedì mar mercoledì mer giovedì gio venerdì ven sabato sab domenica dom",
		ignored:  "il del di alle ore o", at: "ore alle", order: "dmy",
	},
	"pt": {
		months:   "janeiro jan|fevereiro fev|março mar|abril abr|maio mai|junho jun|julho jul|agosto ago|setembro set|outubro out|novembro nov|dezembro dez",
		weekdays: "segunda terça quarta quinta sexta feira sábado domingo seg ter qua qui sex sáb dom",
		ignored:  "de do em o a as às", hour: "h hs horas", minute: "min", order: "dmy",
	},
	"nl": {
		months:   "januari jan|februari feb|maart mrt|april apr|mei|juni jun|juli jul|augustus aug|september sep sept|oktober okt|november nov|december dec",
		weekdays: "maandag ma dinsdag di woensdag wo donderdag do vrijdag vr zaterdag za zondag zo",
		ignored:  "op om van de e uur", hour: "uur", at: "om", order: "dmy",
	},
	"sv": {
		months:   "januari jan|februari feb febr|mars mar|april apr|maj|juni jun|juli jul|augusti aug|september sep sept|oktober okt|november nov|december dec",
		weekdays: "måndag mån tisdag tis onsdag ons torsdag tor tors fredag fre lördag lör söndag sön",
		ignored:  "den kl klockan e", at: "kl klockan", order: "dmy",
	},
	"da": {
		months:   "januar jan|februar feb|marts mar|april apr|maj|juni jun|juli jul|august aug|september sep sept|oktober okt|november nov|december dec",
		weekdays: "mandag man tirsdag tirs tir onsdag ons torsdag tors tor fredag fre lørdag lør søndag søn",
		ignored:  "d den kl", at: "kl", order: "dmy",
	},
	"nb": {
		months:   "januar jan|februar feb|mars mar|april apr|mai|juni jun|juli jul|august aug|september sep sept|oktober okt|november nov|desember des",
		weekdays: "mandag man tirsdag tirs tir tysdag onsdag ons torsdag tors tor fredag fre lørdag lør laurdag søndag søn sundag",
		ignored:  "den kl klokken", at: "kl klokken", order: "dmy",
	},
	"fi": {
		months: "tammikuu tammikuuta tammikuun tammi|helmikuu helmikuuta helmikuun helmi|maaliskuu maaliskuuta maaliskuun maalis|huhtikuu huhtikuuta huhtikuun huhti|toukokuu toukokuuta toukokuun touko|kesäkuu kesäkuuta kesäkuun kesä|" +
			"heinäkuu heinäkuuta heinäkuun heinä|elokuu elokuuta elokuun elo|syyskuu syyskuuta syyskuun syys|lokakuu lokakuuta lokakuun loka|marraskuu marraskuuta marraskuun marras|joulukuu joulukuuta joulukuun joulu",
		weekdays: "maanantai maanantaina ma tiistai tiistaina ti keskiviikko keskiviikkona ke torstai torstaina to perjantai perjantaina pe lauantai lauantaina la sunnuntai sunnuntaina su",
		ignored:  "klo kello", at: "klo kello", order: "dmy",
	},
	"pl": {
		months: "styczeń stycznia sty|luty lutego lut|marzec marca mar|kwiecień kwietnia kwi|maj maja|czerwiec czerwca cze|" +
			"lipiec lipca lip|sierpień sierpnia sie|wrzesień września wrz|październik października paź|listopad listopada lis|grudzień grudnia gru",
		weekdays: "poniedziałek pon wtorek wt środa śr czwartek czw piątek pt sobota sob niedziela niedz ndz nd",
		ignored:  "r roku o godz godzina w", hour: "", order: "dmy",
	},
	"cs": {
		months: "leden ledna led|únor února úno|březen března bře|duben dubna dub|květen května kvě|červen června čvn|" +
			"červenec července čvc|srpen srpna srp|září zář|říjen října říj|listopad listopadu lis|prosinec prosince pro",
		weekdays: "pondělí po úterý út středa st čtvrtek čt pátek pá sobota so neděle ne",
		ignored:  "v ve dne hod", order: "dmy",
	},
	"sk": {
		months: "január januára jan|február februára feb|marec marca mar|apríl apríla apr|máj mája|jún júna|" +
			"júl júla|august augusta aug|september septembra sep|október októbra okt|november novembra nov|december decembra dec",
		weekdays: "pondelok po utorok ut streda st štvrtok št piatok pi sobota so nedeľa ne",
		ignored:  "o v hod", order: "dmy",
	},
	"hr": {
		months: "siječanj siječnja sij|veljača veljače velj|ožujak ožujka ožu|travanj travnja tra|svibanj svibnja svi|lipanj lipnja lip|" +
			"srpanj srpnja srp|kolovoz kolovoza kol|rujan rujna ruj|listopad listopada lis|studeni studenoga studenog stu|prosinac prosinca pro",
		weekdays: "ponedjeljak pon utorak uto srijeda sri četvrtak čet petak pet subota sub nedjelja ned",
		ignored:  "u sati", order: "dmy",
	},
	"hu": {
		months:   "január jan|február febr feb|március márc már|április ápr|május máj|június jún|július júl|augusztus aug|szeptember szept|október okt|november nov|december dec",
		weekdays: "hétfő kedd szerda csütörtök péntek szombat vasárnap h k sze cs p szo v",
		ignored:  "én án", order: "ymd",
	},
	"ro": {
		months:   "ianuarie ian|februarie feb febr|martie mar mart|aprilie apr|mai|iunie iun|iulie iul|august aug|septembrie sept sep|octombrie oct|noiembrie nov noi|decembrie dec",
		weekdays: "luni lun marți mar miercuri mie joi vineri vin sâmbătă sâm duminică dum",
		ignored:  "ora la", order: "dmy",
	},
	"ru": {
		months:   "январь января янв|февраль февраля фев февр|март марта мар|апрель апреля апр|май мая|июнь июня июн|июль июля июл|август августа авг|сентябрь сентября сен сент|октябрь октября окт|ноябрь ноября ноя нояб|декабрь декабря дек",
		weekdays: "понедельник пн вторник вт среда ср четверг чт пятница пт суббота сб воскресенье вс",
		ignored:  "г год года в го е", order: "dmy",
	},
	"uk": {
		months:   "січень січня січ|лютий лютого лют|березень березня бер|квітень квітня квіт кві|травень травня трав тра|червень червня черв чер|липень липня лип|серпень серпня серп сер|вересень вересня вер|жовтень жовтня жовт жов|листопад листопада лист лис|грудень грудня груд гру",
		weekdays: "понеділок пн вівторок вт середа ср четвер чт п'ятниця пт субота сб неділя нд",
		ignored:  "р рік року о об в у го", order: "dmy",
	},
	"bg": {
		months:   "януари ян яну|февруари фев|март мар|април апр|май|юни|юли|август авг|септември септ сеп|октомври окт|ноември ное|декември дек",
		weekdays: "понеделник пн вторник вт сряда ср четвъртък чт петък пт събота сб неделя нд",
		ignored:  "г год година в ч часа", order: "dmy",
	},
	"el": {
		months: "ιανουάριος ιανουαρίου ιαν|φεβρουάριος φεβρουαρίου φεβ φεβρ|μάρτιος μαρτίου μαρ μάρ|απρίλιος απριλίου απρ|μάιος μαΐου μαι μάη|ιούνιος ιουνίου ιουν|" +
			"ιούλιος ιουλίου ιουλ|αύγουστος αυγούστου αυγ|σεπτέμβριος σεπτεμβρίου σεπ σεπτ|οκτώβριος οκτωβρίου οκτ|νοέμβριος νοεμβρίου νοε νοεμ|δεκέμβριος δεκεμβρίου δεκ",
		weekdays: "δευτέρα δευ δε τρίτη τρί τρ τετάρτη τετ τε πέμπτη πέμ πε παρασκευή παρ πα σάββατο σάβ σα κυριακή κυρ κυ",
		ignored:  "στις στη ώρα η", morning: "πμ", afternoon: "μμ", order: "dmy",
	},
	"tr": {
		months:   "ocak oca|şubat şub|mart mar|nisan nis|mayıs may|haziran haz|temmuz tem|ağustos ağu|eylül eyl|ekim eki|kasım kas|aralık ara",
		weekdays: "pazartesi pzt salı sal çarşamba çar perşembe per cuma cum cumartesi cmt pazar paz",
		ignored:  "günü saat", order: "dmy",
	},
	"id": {
		months:   "januari jan|februari feb|maret mar|april apr|mei|juni jun|juli jul|agustus agu agt|september sep|oktober okt|november nov|desember des",
		weekdays: "senin sen selasa sel rabu rab kamis kam jumat jum'at jum sabtu sab minggu min ahad",
		ignored:  "pukul pkl jam tanggal", at: "pukul pkl jam", order: "dmy",
	},
	"vi": {
		weekdays: "thứ hai ba tư năm sáu bảy chủ nhật cn",
		ignored:  "ngày năm lúc", ahead: "tháng thg th", hour: "giờ h", minute: "phút", morning: "sa", afternoon: "ch", order: "dmy",
	},
	"ar": {
		months:   "يناير كانون_الثاني جانفي|فبراير شباط فيفري|مارس آذار|أبريل ابريل إبريل نيسان أفريل|مايو أيار ماي|يونيو حزيران جوان|يوليو تموز جويلية|أغسطس آب أوت|سبتمبر أيلول|أكتوبر تشرين_الأول|نوفمبر تشرين_الثاني|ديسمبر كانون_الأول",
		weekdays: "الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
		ignored:  "يوم الساعة في م", morning: "ص صباحا", afternoon: "مساء", order: "dmy",
	},
	"ja": {
		weekdays: "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日 月曜 火曜 水曜 木曜 金曜 土曜 日曜 火 水 木 金 土",
		ignored:  "祝 の", year: "年", month: "月", day: "日", hour: "時", minute: "分", second: "秒", morning: "午前", afternoon: "午後", order: "ymd", joined: true,
	},
	"zh": {
		weekdays: "星期一 星期二 星期三 星期四 星期五 星期六 星期日 星期天 周一 周二 周三 周四 周五 周六 周日 週一 週二 週三 週四 週五 週六 週日 礼拜 禮拜",
		year:     "年", month: "月", day: "日 号 號", hour: "时 時 点 點", minute: "分", second: "秒", morning: "上午 早上 凌晨", afternoon: "下午 晚上", order: "ymd", joined: true,
	},
	"ko": {
		weekdays: "월요일 화요일 수요일 목요일 금요일 토요일 일요일 화 수 목 금 토",
		year:     "년", month: "월", day: "일", hour: "시", minute: "분", second: "초", morning: "오전", afternoon: "오후", order: "ymd", joined: true,
	},
}

// languageOf names languages by other codes of theirs.
var languageOf = map[string]string{"no": "nb", "nn": "nb", "in": "id", "mo": "ro", "cmn": "zh"}

// monthFirst are the regions that write 3/4 for the fourth of March where their
// language does not, and those that do not where it does: for the rest of English.
var monthFirst = set("en- en-US en-PH en-PR en-GU en-VI en-AS en-MP en-UM es-PR es-PA")
